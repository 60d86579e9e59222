hawser_test(feeds_test
  SOURCES feeds_conflict_follower_test.cc
  LINK hawser_feeds)
