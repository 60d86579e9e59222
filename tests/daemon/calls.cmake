hawser_test(calls_test THREADS
  SOURCES call_desk_test.cc admin_client.cc admin_fixture.cc
  LINK hawser_admin hawser_fake_engine)
