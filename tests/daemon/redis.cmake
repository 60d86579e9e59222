hawser_test(redis_parser_test SOURCES redis_parser_test.cc LINK hawser_redis)

add_library(redis_harness STATIC redis_fake_engine.cc redis_client.cc)
target_link_libraries(redis_harness PUBLIC hawser_redis hawser_storage PRIVATE hawser_flags)
hawser_quick_build(redis_harness)

hawser_test(redis_commands_test SOURCES redis_commands_test.cc redis_lookup_test.cc LINK redis_harness)
hawser_test(redis_connection_test THREADS
  SOURCES redis_connection_test.cc redis_homes_test.cc redis_tracking_test.cc LINK redis_harness)
