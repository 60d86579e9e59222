#include "storage/declare.h"

#include "conflict/declaration.h"

namespace hawser {

std::vector<std::string> Declare(const Schema& schema, LocalTxn& txn) {
  std::vector<std::string> contradictions;
  for (const auto& [table, rules] : schema.tables) {
    if (!IsTableName(table)) continue;  // internal tables need no declaration
    for (const auto& [field, rule] : rules.fields) {
      RecordEdit& edit = txn.Edit(kDeclarationTable, DeclarationKey(table, field));
      const std::string wanted = RuleText(rule);
      const auto declared = edit.Get(kDeclarationField);
      if (!declared) {
        (void)edit.Set(kDeclarationField, wanted);
      } else if (*declared != wanted) {
        contradictions.push_back(
            "table " + table + ", field " + field + ": the configuration says \"" + wanted +
            "\", but it was declared as \"" + *declared +
            "\"; a rule does not change under existing data: put the declared one back");
      }
    }
  }
  return contradictions;
}

}  // namespace hawser
