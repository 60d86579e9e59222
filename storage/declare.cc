#include "storage/declare.h"

#include <utility>

#include "conflict/declaration.h"
#include "conflict/extension.h"

namespace hawser {
namespace {

class Declarer {
 public:
  explicit Declarer(LocalTxn& txn) : txn_(txn) {}

  void DeclareField(const std::string& table, const std::string& field, const FieldRule& rule) {
    RecordEdit& edit = txn_.Edit(kDeclarationTable, DeclarationKey(table, field));
    const auto declared = edit.Get(kDeclarationField);
    const std::string wanted = RuleText(rule);
    if (!declared) {
      (void)edit.Set(kDeclarationField, wanted);
    } else if (*declared == wanted) {
      NoteOlder(table, field, rule, Read(edit));
    } else if (rule.kind == Kind::kStates && !rule.counter) {
      ExtendField(table, field, rule, edit);
    } else {
      Contradict(table, field, rule.min ? "min" : "resolve",
                 "says \"" + wanted + "\", but it was declared as \"" + *declared +
                     "\"; a rule does not change under existing data: put the declared one back");
    }
  }

  void DeclareTable(const std::string& name, const TableRule& table) {
    if (table.placement.empty() && table.default_home.empty() && table.index.empty()) return;
    RecordEdit& edit = txn_.Edit(kDeclarationTable, TableDeclarationKey(name));
    Settle(edit, name, kPlacementField, table.placement);
    Settle(edit, name, kDefaultHomeField, table.default_home);
    for (const std::string& field : table.index) {
      if (!edit.Get(IndexField(field))) (void)edit.Set(IndexField(field), "1");
    }
  }

  void DeclareUnique(const std::string& name) {
    RecordEdit& edit = txn_.Edit(kDeclarationTable, UniqueDeclarationKey(name));
    if (!edit.Get(kDeclaredUniqueField)) (void)edit.Set(kDeclaredUniqueField, "1");
  }

  Declaring Take() { return std::move(declaring_); }

 private:
  static FieldDeclaration Read(const RecordEdit& edit) {
    FieldDeclaration declaration;
    for (const std::string& name : edit.VisibleFields()) declaration.Take(name, *edit.Get(name));
    return declaration;
  }
  void Contradict(const std::string& table, const std::string& field, std::string_view key,
                  std::string text) {
    declaring_.contradictions.push_back({table, true, field, std::string(key), std::move(text)});
  }

  void ExtendField(const std::string& table, const std::string& field, const FieldRule& rule,
                   RecordEdit& edit) {
    const FieldDeclaration declaration = Read(edit);
    if (!declaration.known() || declaration.first().kind != Kind::kStates) {
      return Contradict(table, field, "resolve",
                        "says \"states\", but it was declared as \"" +
                            edit.Get(kDeclarationField).value_or("") +
                            "\"; a rule does not change under existing data: put the declared one "
                            "back");
    }
    const auto extension = Extend(declaration, rule.states);
    if (!extension) return Contradict(table, field, "order", extension.error());
    for (const auto& [state, rank] : extension->added) {
      (void)edit.Set(declaration.AddedStateField(state), std::to_string(rank));
    }
    NoteOlder(table, field, rule, declaration);
  }

  void NoteOlder(const std::string& table, const std::string& field, const FieldRule& rule,
                 const FieldDeclaration& declaration) {
    if (declaration.Added().empty()) return;
    const auto extension = Extend(declaration, rule.states);
    if (!extension || extension->unnamed.empty()) return;
    std::string text = "does not name";
    for (const std::string& state : extension->unnamed) text += " \"" + state + "\"";
    declaring_.older.push_back(
        {table, true, field, "order",
         text + ", added to the line elsewhere; the longer line holds here too: \"" +
             RuleText(declaration.Effective()) + "\"; bring the configuration up to it"});
  }

  void Settle(RecordEdit& edit, const std::string& table, std::string_view name,
              const std::string& wanted) {
    if (wanted.empty()) return;
    const auto declared = edit.Get(name);
    if (!declared) {
      (void)edit.Set(name, wanted);
    } else if (*declared != wanted) {
      declaring_.contradictions.push_back(
          {table,
           false,
           {},
           std::string(name),
           "says \"" + wanted + "\", but it was declared as \"" + *declared +
               "\"; it does not change under existing data: put the declared one back"});
    }
  }

  LocalTxn& txn_;
  Declaring declaring_;
};

}  // namespace

Declaring Declare(const Schema& schema, LocalTxn& txn) {
  Declarer declarer(txn);
  for (const auto& [name, table] : schema.tables) {
    if (!IsTableName(name)) continue;  // internal tables need no declaration
    declarer.DeclareTable(name, table);
    for (const auto& [field, rule] : table.fields) declarer.DeclareField(name, field, rule);
  }
  for (const std::string& name : schema.unique) declarer.DeclareUnique(name);
  return declarer.Take();
}

}  // namespace hawser
