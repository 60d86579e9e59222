#include "daemon/config/reading.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

#include "daemon/config/near.h"

namespace hawser::config {
namespace {

std::vector<std::string_view> KeyNames(std::string_view section) {
  std::vector<std::string_view> names;
  for (const Key* key : KeysOf(section)) names.push_back(key->name);
  return names;
}

// Sections at the top of a file.
std::vector<std::string_view> SectionNames() {
  std::vector<std::string_view> names;
  for (const Section& section : Sections()) {
    if (section.kind != Section::Kind::kNamed) names.push_back(section.name);
  }
  return names;
}

std::string Header(const Section& section) {
  const std::string name(section.name);
  switch (section.kind) {
    case Section::Kind::kOne:
      return "[" + name + "]";
    case Section::Kind::kMany:
      return "[[" + name + "]]";
    case Section::Kind::kNamed:
      return "[" + name + ".NAME]";
  }
  return name;
}

std::string List(std::span<const std::string_view> names) {
  std::string list;
  for (const std::string_view name : names) list += (list.empty() ? "" : ", ") + std::string(name);
  return list;
}

// What to say of a key that `section` does not have.
std::string UnknownKey(std::string_view section, std::string_view name) {
  const std::vector<std::string_view> names = KeyNames(section);
  if (const std::string_view near = Nearest(name, names); !near.empty()) {
    return "unknown key; did you mean \"" + std::string(near) + "\"?";
  }
  for (const Section& other : Sections()) {
    if (FindKey(other.name, name) != nullptr && name != "name") {
      return "unknown key here; it belongs under " + Header(other);
    }
  }
  return "unknown key; " + Header(*FindSection(section)) + " has " + List(names);
}

std::string UnknownSection(std::string_view name) {
  const std::vector<std::string_view> names = SectionNames();
  if (const std::string_view near = Nearest(name, names); !near.empty()) {
    return "unknown section; did you mean " + Header(*FindSection(near)) + "?";
  }
  for (const Section& section : Sections()) {
    if (FindKey(section.name, name) != nullptr && name != "name") {
      return "unknown key outside a section; it belongs under " + Header(section);
    }
  }
  return "unknown section; there are " + List(names);
}

void Put(Element& element, Setting setting) {
  const auto at = std::ranges::find(element.settings, setting.key, &Setting::key);
  if (at == element.settings.end()) {
    element.settings.push_back(std::move(setting));
  } else {
    *at = std::move(setting);
  }
}

class DocumentReader {
 public:
  DocumentReader(std::string file, Settings& settings, Problems& problems)
      : file_(std::move(file)), settings_(settings), problems_(problems) {}

  void Read(const Node& root) {
    for (const auto& [name, node] : root.members) {
      const Section* section = FindSection(name);
      if (section == nullptr || section->kind == Section::Kind::kNamed) {
        Fault(node.line, name, UnknownSection(name));
      } else if (section->kind == Section::Kind::kOne) {
        ReadOne(*section, node);
      } else {
        ReadMany(*section, node);
      }
    }
  }

 private:
  Source At(int line) const { return {Source::Kind::kFile, file_, line}; }
  void Fault(int line, std::string key, std::string text) {
    problems_.push_back({At(line), std::move(key), std::move(text)});
  }
  void WrongShape(const Section& section, int line) {
    Fault(line, std::string(section.name), "is not a section of its own; write " + Header(section));
  }

  void ReadOne(const Section& section, const Node& node) {
    if (node.kind != Node::Kind::kTable) return WrongShape(section, node.line);
    Element& element = settings_.One(section);
    if (element.source.kind == Source::Kind::kDefault) element.source = At(node.line);
    ReadMembers(section, node, element);
  }

  void ReadMany(const Section& section, const Node& node) {
    const bool tables = std::ranges::all_of(
        node.items, [](const Node& item) { return item.kind == Node::Kind::kTable; });
    if (node.kind != Node::Kind::kArray || !tables) return WrongShape(section, node.line);
    for (const Node& item : node.items) {
      Element element{.section = &section, .source = At(item.line)};
      ReadMembers(section, item, element);
      settings_.elements.push_back(std::move(element));
    }
  }

  void ReadMembers(const Section& section, const Node& node, Element& element) {
    for (const auto& [name, member] : node.members) {
      const std::string path = std::string(section.name) + '.' + name;
      if (const Section* child = FindSection(path)) {
        ReadNamed(*child, member, element);
      } else if (const Key* key = FindKey(section.name, name)) {
        auto value = ReadValue(*key, member);
        if (value) {
          Put(element, {key, std::move(*value), At(member.line)});
        } else {
          Fault(member.line, path, value.error());
          Put(element, {key, Value{}, At(member.line)});  // said, if badly: not missing
        }
      } else {
        Fault(member.line, path, UnknownKey(section.name, name));
      }
    }
  }

  void ReadNamed(const Section& section, const Node& node, Element& parent) {
    if (node.kind != Node::Kind::kTable) return WrongShape(section, node.line);
    for (const auto& [name, member] : node.members) {
      if (member.kind != Node::Kind::kTable) {
        WrongShape(section, member.line);
        continue;
      }
      Element element{.section = &section, .name = name, .source = At(member.line)};
      ReadMembers(section, member, element);
      parent.children.push_back(std::move(element));
    }
  }

  std::string file_;
  Settings& settings_;
  Problems& problems_;
};

// A variable's text as the node that a file would have held.
Node NodeOf(const Key& key, std::string_view text) {
  Node node;
  node.kind = Node::Kind::kText;
  node.text = text;
  if (key.type == KeyType::kInteger) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), node.integer);
    if (error == std::errc{} && end == text.data() + text.size()) node.kind = Node::Kind::kInteger;
  } else if (key.type == KeyType::kBoolean && (text == "true" || text == "false")) {
    node.kind = Node::Kind::kBoolean;
    node.integer = text == "true" ? 1 : 0;
  } else if (key.type == KeyType::kTexts) {
    node.kind = Node::Kind::kArray;
    while (!text.empty()) {
      const std::size_t comma = std::min(text.find(','), text.size());
      node.items.push_back(
          Node{.kind = Node::Kind::kText, .text = std::string(text.substr(0, comma))});
      text.remove_prefix(std::min(comma + 1, text.size()));
    }
  }
  return node;
}

std::string Lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

}  // namespace

void TakeDocument(const Node& root, const std::string& file, Settings& settings,
                  Problems& problems) {
  DocumentReader(file, settings, problems).Read(root);
}

void TakeVariable(std::string_view name, std::string_view text, Settings& settings,
                  Problems& problems) {
  constexpr std::string_view kPrefix = "HAWSER_";
  const std::size_t split = name.find("__");
  if (!name.starts_with(kPrefix) || split == std::string_view::npos) return;
  const Source source{Source::Kind::kEnvironment, std::string(name), 0};
  const std::string section_name = Lower(name.substr(kPrefix.size(), split - kPrefix.size()));
  const std::string key_name = Lower(name.substr(split + 2));
  const std::string path = section_name + '.' + key_name;
  const Section* section = FindSection(section_name);
  if (section == nullptr) {
    problems.push_back({source, path, UnknownSection(section_name)});
  } else if (section->kind != Section::Kind::kOne) {
    problems.push_back(
        {source, path, "cannot be set by a variable; write " + Header(*section) + " in a file"});
  } else if (const Key* key = FindKey(section_name, key_name); key == nullptr) {
    problems.push_back({source, path, UnknownKey(section_name, key_name)});
  } else if (auto value = ReadValue(*key, NodeOf(*key, text)); !value) {
    problems.push_back({source, path, value.error()});
  } else {
    Put(settings.One(*section), {key, std::move(*value), source});
  }
}

}  // namespace hawser::config
