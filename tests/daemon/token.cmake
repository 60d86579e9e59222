hawser_test(token_test SOURCES token_test.cc LINK hawser_token)
