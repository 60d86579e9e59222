#include "daemon/config/settings.h"

#include <algorithm>

namespace hawser::config {

std::string Text(const Source& source) {
  switch (source.kind) {
    case Source::Kind::kDefault:
      return "default";
    case Source::Kind::kEnvironment:
      return source.name;
    case Source::Kind::kFile:
      break;
  }
  return source.line > 0 ? source.name + ':' + std::to_string(source.line) : source.name;
}

const Setting* Element::Find(std::string_view key) const {
  const auto at = std::ranges::find(settings, key, [](const Setting& s) { return s.key->name; });
  return at == settings.end() ? nullptr : &*at;
}

const Source& Element::Where(std::string_view key) const {
  const Setting* setting = Find(key);
  return setting != nullptr && setting->source.kind != Source::Kind::kDefault ? setting->source
                                                                              : source;
}

Element& Settings::One(const Section& section) {
  const auto at = std::ranges::find(elements, &section, &Element::section);
  if (at != elements.end()) return *at;
  return elements.emplace_back(Element{.section = &section});
}

std::vector<const Element*> Settings::All(std::string_view section) const {
  std::vector<const Element*> found;
  for (const Element& element : elements) {
    if (element.section->name == section) found.push_back(&element);
  }
  return found;
}

std::string Text(const Problem& problem) {
  const std::string key = problem.key.empty() ? std::string{} : problem.key + ": ";
  return Text(problem.source) + ": " + key + problem.text;
}

}  // namespace hawser::config
