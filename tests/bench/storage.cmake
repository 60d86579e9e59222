add_executable(storage_bench ${CMAKE_CURRENT_SOURCE_DIR}/storage_bench.cc)
target_link_libraries(storage_bench PRIVATE hawser_flags hawser_storage)
