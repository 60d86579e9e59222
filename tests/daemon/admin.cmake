hawser_test(admin_test THREADS
  SOURCES admin_find_test.cc admin_records_test.cc admin_writes_test.cc admin_keys_test.cc admin_homes_test.cc admin_txn_test.cc admin_status_test.cc
          admin_conflicts_test.cc admin_streams_test.cc admin_http_test.cc admin_text_test.cc admin_json_test.cc admin_mutation_test.cc
          admin_client.cc admin_fixture.cc
  LINK hawser_admin hawser_fake_engine)
