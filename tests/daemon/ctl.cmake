hawser_test(ctl_test
  SOURCES ctl_answers_test.cc ctl_options_test.cc ctl_commands_test.cc ctl_laboratory_test.cc ctl_fake_server.cc
  LINK hawser_ctl)
