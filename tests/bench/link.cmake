add_executable(link_bench ${CMAKE_CURRENT_SOURCE_DIR}/link_bench.cc)
target_link_libraries(link_bench PRIVATE hawser_flags hawser_wan hawser_test_nats)
