hawser_test(feeds_test
  SOURCES feeds_conflict_follower_test.cc feeds_change_follower_test.cc
  LINK hawser_feeds)
hawser_test(feeds_publisher_test THREADS
  SOURCES feeds_publisher_test.cc
  LINK hawser_publisher hawser_fake_engine hawser_feed_proto)
