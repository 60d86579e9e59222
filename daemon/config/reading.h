#pragma once

// Reading: from text to typed settings. Everything that is wrong with single values is found here:
// unknown sections and keys with their near miss, wrong types, units, bounds.
// Threads: free functions without state; no file is touched.

#include <expected>
#include <string>
#include <string_view>

#include "daemon/config/document.h"
#include "daemon/config/settings.h"

namespace hawser::config {

// Takes a parsed file into `settings`. Values of [sections] replace earlier ones, [[elements]] are
// added.
void TakeDocument(const Node& root, const std::string& file, Settings& settings,
                  Problems& problems);

// Takes HAWSER_SECTION__KEY=text. Lists are separated by commas. Variables without "__" are not
// ours.
void TakeVariable(std::string_view name, std::string_view text, Settings& settings,
                  Problems& problems);

// A node as the value of `key`; the error says what is wrong and what to write.
std::expected<Value, std::string> ReadValue(const Key& key, const Node& node);

}  // namespace hawser::config
