#include "daemon/config/check.h"

#include <map>
#include <string>

#include "conflict/declaration.h"
#include "daemon/config/address.h"
#include "daemon/config/near.h"
#include "daemon/config/units.h"

namespace hawser::config {
namespace {

class Checker {
 public:
  Checker(const Settings& settings, const Config& config, Problems& problems)
      : settings_(settings), config_(config), problems_(problems) {}

  void Run() {
    CheckRegions();
    CheckBounds();
    CheckListeners();
    CheckTables();
    CheckDistinct("unique", "name");
    CheckDistinct("tokens", "name");
    CheckDistinct("tokens", "file");
  }

 private:
  const Element& One(std::string_view section) const { return *settings_.All(section).front(); }
  static void Say(Problems& to, const Element& element, std::string_view key, std::string text) {
    to.push_back({element.Where(key), std::string(element.section->name) + '.' + std::string(key),
                  std::move(text)});
  }
  void Fault(const Element& element, std::string_view key, std::string text) {
    Say(problems_, element, key, std::move(text));
  }

  // Each element's `key` has a value of its own.
  void CheckDistinct(std::string_view section, std::string_view key) {
    std::map<std::string, const Element*> first;
    for (const Element* element : settings_.All(section)) {
      const Setting* setting = element->Find(key);
      if (setting == nullptr) continue;
      const std::string text = Render(*setting->key, setting->value);
      const auto [at, fresh] = first.emplace(text, element);
      if (fresh) continue;
      Fault(
          *element, key,
          text + " is taken by the one at " + Text(at->second->Where(key)) + "; give each its own");
    }
  }

  std::string RegionHint(const std::string& name) const {
    std::vector<std::string_view> names;
    std::string list;
    for (const RegionConfig& region : config_.regions) {
      names.push_back(region.name);
      list += (list.empty() ? "" : ", ") + region.name;
    }
    const std::string_view near = Nearest(name, names);
    return near.empty() ? "write one of " + list : "did you mean " + Quoted(near) + "?";
  }
  bool IsRegion(const std::string& name) const {
    for (const RegionConfig& region : config_.regions) {
      if (region.name == name) return true;
    }
    return false;
  }

  void CheckRegions() {
    if (config_.regions.empty()) {
      problems_.push_back(
          {One("region").source, "regions",
           "no region is named; write one [[regions]] for each, this one included"});
      return;
    }
    CheckDistinct("regions", "name");
    CheckDistinct("regions", "id");
    if (!IsRegion(config_.region)) {
      Fault(One("region"), "name",
            Quoted(config_.region) + " is none of [[regions]]; " + RegionHint(config_.region));
    }
  }

  // `small` must not exceed `large`, or the second can never do its work.
  void CheckOrder(std::string_view small_section, std::string_view small, std::uint64_t small_bytes,
                  std::string_view large_section, std::string_view large, std::uint64_t large_bytes,
                  std::uint64_t times = 1) {
    if (small_bytes <= large_bytes / times) return;
    const std::string factor = times == 1 ? "" : std::to_string(times) + " times ";
    // Point at what was said, not at a default.
    const Element& small_element = One(small_section);
    const Element& large_element = One(large_section);
    const Setting* said = small_element.Find(small);
    const std::string large_path = std::string(large_section) + '.' + std::string(large);
    const std::string small_path = std::string(small_section) + '.' + std::string(small);
    if (said != nullptr && said->source.kind != Source::Kind::kDefault) {
      Fault(small_element, small,
            FormatSize(small_bytes) + " is too large: " + large_path + " (" +
                FormatSize(large_bytes) + ") must hold " + factor +
                "as much; lower this or raise that");
    } else {
      Fault(large_element, large,
            FormatSize(large_bytes) + " is too small: it must hold " + factor + small_path + " (" +
                FormatSize(small_bytes) + "); raise this or lower that");
    }
  }

  void CheckBounds() {
    const StorageConfig& s = config_.storage;
    const WanConfig& w = config_.wan;
    CheckOrder("storage", "max_record", s.record_max, "storage", "max_txn", s.txn_max);
    CheckOrder("storage", "max_txn", s.txn_max, "storage", "memtable_max", s.memtable_max, 2);
    CheckOrder("storage", "max_txn", s.txn_max, "storage", "journal_max", s.journal_max, 16);
    CheckOrder("storage", "max_txn", s.txn_max, "wan", "pending_max", w.pending_max);
    CheckOrder("storage", "memtable_max", s.memtable_max, "storage", "map_max", s.map_max);
    CheckOrder("wan", "fetch_window", w.fetch_window, "wan", "pending_max", w.pending_max);
    if (w.catch_up_bandwidth != 0 && w.catch_up_bandwidth < 64 * 1024) {
      Fault(One("wan"), "catch_up_bandwidth",
            FormatSize(w.catch_up_bandwidth) +
                " a second is too little to catch up; write at least "
                "\"64KiB\", or \"0\" for no limit");
    }
  }

  void CheckListeners() {
    if (config_.admin.listen == config_.redis.listen) {
      Fault(One("redis"), "listen",
            Format(config_.redis.listen) + " is also admin.listen; use another port");
    }
    if (!config_.tokens.empty()) return;
    CheckLoopback("admin", config_.admin.listen);
    CheckLoopback("redis", config_.redis.listen);
  }
  void CheckLoopback(std::string_view section, const ListenAddress& listen) {
    if (IsLoopback(listen)) return;
    Fault(One(section), "listen",
          Format(listen) +
              " can be reached by others, and nobody would be asked for a token; add "
              "[[tokens]], or listen on 127.0.0.1 or [::1]");
  }

  void CheckTables() {
    CheckDistinct("tables", "name");
    const std::vector<const Element*> elements = settings_.All("tables");
    for (std::size_t i = 0; i < config_.tables.size(); ++i)
      CheckTable(*elements[i], config_.tables[i]);
  }
  void CheckTable(const Element& element, const TableConfig& table) {
    if (!table.default_home.empty()) {
      if (table.placement != "homed") {
        Fault(element, "default_home",
              "has a meaning only with placement = \"homed\"; add that or remove this");
      }
      if (!IsRegion(table.default_home)) {
        Fault(element, "default_home",
              Quoted(table.default_home) + " is none of [[regions]]; " +
                  RegionHint(table.default_home));
      }
    }
    for (std::size_t i = 0; i < table.fields.size(); ++i) {
      CheckField(element.children[i], table.fields[i]);
    }
  }
  void CheckField(const Element& element, const FieldConfig& field) {
    if (field.name.size() > kDeclaredNameBytesMax) {
      Fault(element, "",
            "a declared field's name has at most " + std::to_string(kDeclaredNameBytesMax) +
                " bytes; shorten it");
    }
    const bool states = field.resolve == "states";
    if (states && field.order.empty()) {
      Fault(element, "order",
            "is missing; resolve = \"states\" needs the line of states, the earliest first");
    }
    if (!states && !field.order.empty()) {
      Fault(element, "order",
            "has a meaning only with resolve = \"states\"; add that or remove this");
    }
    if (field.min && field.resolve != "counter") {
      Fault(element, "min",
            "has a meaning only with resolve = \"counter\"; add that or remove this");
    } else if (field.min && *field.min != 0) {
      Fault(element, "min",
            "must be 0: what may be taken is what is above nothing; to keep a reserve, store what "
            "is above it");
    }
  }

  const Settings& settings_;
  const Config& config_;
  Problems& problems_;
};

FieldRule RuleOf(const FieldConfig& field) {
  if (field.resolve == "states") return StatesRule(field.order);
  FieldRule rule;
  rule.counter = field.resolve == "counter";
  rule.min = field.min;
  if (field.resolve == "first") rule.kind = Kind::kFirst;
  if (field.resolve == "max") rule.kind = Kind::kMax;
  if (field.resolve == "min") rule.kind = Kind::kMin;
  return rule;
}

Whereabouts WhereaboutsOf(const Element& element) {
  Whereabouts where;
  for (const Setting& setting : element.settings) {
    where.emplace(setting.key->name, Text(element.Where(setting.key->name)));
  }
  return where;
}

}  // namespace

void CheckTogether(const Settings& settings, const Config& config, Problems& problems) {
  Checker(settings, config, problems).Run();
}

void Conclude(const Settings& settings, Config& config) {
  const std::vector<const Element*> elements = settings.All("tables");
  for (std::size_t i = 0; i < config.tables.size(); ++i) {
    config.tables[i].where = WhereaboutsOf(*elements[i]);
    for (std::size_t j = 0; j < config.tables[i].fields.size(); ++j) {
      config.tables[i].fields[j].where = WhereaboutsOf(elements[i]->children[j]);
    }
  }
  for (const RegionConfig& region : config.regions) {
    if (region.name == config.region) config.self = region.id;
  }
  for (const TableConfig& table : config.tables) {
    TableRule& rule = config.schema.tables[table.name];
    for (const FieldConfig& field : table.fields) rule.fields[field.name] = RuleOf(field);
    rule.placement = table.placement;
    rule.default_home = table.default_home;
    rule.index.insert(table.index.begin(), table.index.end());
  }
  for (const UniqueConfig& unique : config.unique) config.schema.unique.insert(unique.name);
}

}  // namespace hawser::config
