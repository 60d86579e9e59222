hawser_test(config_test
  SOURCES config_units_test.cc config_bad_test.cc config_load_test.cc config_sample_test.cc config_fixture.cc
  LINK hawser_config)
target_compile_definitions(config_test PRIVATE HAWSER_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
hawser_test(config_program_test
  SOURCES config_arguments_test.cc config_reload_test.cc config_log_test.cc config_wiring_test.cc config_fixture.cc
  LINK hawser_run)
target_compile_definitions(config_program_test PRIVATE HAWSER_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
