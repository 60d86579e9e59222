add_executable(lag_probe lag_probe.cc)
target_link_libraries(lag_probe PRIVATE hawser_flags)
