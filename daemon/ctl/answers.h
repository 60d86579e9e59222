#pragma once

// Answers: the daemon's JSON, read for people and for conditions. answers.cc is the only file of
// the tool that includes a JSON library. Pure. Errors: nullopt when the text is not the JSON
// expected; the tool then says that the other side is no
//         hawserd, or another version.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/ctl/grid.h"
#include "daemon/ctl/laboratory.h"

namespace hawser::ctl {

std::optional<Grid> RegionGrid(std::string_view json);
std::optional<Grid> LagGrid(std::string_view json);
std::optional<Grid> RecordGrid(std::string_view json);
std::optional<Grid> WriteGrid(std::string_view json);
std::optional<Grid> CutGrid(std::string_view json);
std::optional<Grid> ConflictsGrid(std::string_view json);
std::optional<Grid> ConflictGrid(std::string_view json);
std::optional<Grid> ExplainGrid(std::string_view json);
std::optional<Grid> ClaimGrid(std::string_view json);
// The body of a claim; nullopt: a text is no UTF-8.
std::optional<std::string> ClaimBody(const std::string& owner, const std::string& request_id);
// True if the answer says that the claim is pending.
bool IsPending(std::string_view json);
std::optional<Grid> HomeGrid(std::string_view json);
std::optional<Grid> HomesGrid(std::string_view json);
// A page of homes: the units, with the region each is at home in.
struct ListedHome {
  std::string unit, home;
};
std::optional<std::vector<ListedHome>> ReadHomes(std::string_view json);
// The body of a move; nullopt: the reason is no UTF-8.
std::optional<std::string> MoveBody(const std::string& region, const std::string& reason,
                                    bool force);
std::optional<Grid> ExplainRegionsGrid(std::string_view json);
std::optional<Grid> ResolvedGrid(std::string_view json);
std::optional<Grid> AuditGrid(std::string_view json);

// The token of the page behind this one; empty: it was the last.
std::string NextPageToken(std::string_view json);
// What a page of the audit log says of its chain.
struct AuditChain {
  bool verified = false;
  std::string broken_at, length;
};
std::optional<AuditChain> ReadAuditChain(std::string_view json);
// A page of the conflict log for the laboratory; what is no write of a field is left out.
std::optional<std::vector<LabConflict>> ReadLabConflicts(std::string_view json);
// What the laboratory found, for people and as JSON.
struct LabFinding {
  LabConflict conflict;
  bool undecided = false;
};
Grid LabGrid(const std::vector<LabFinding>& findings);
std::string LabJson(std::size_t looked_at, const std::vector<LabFinding>& findings);
// The body that asks for a resolution. nullopt: a text is no UTF-8.
std::optional<std::string> ResolutionBody(const std::string& take,
                                          const std::optional<std::string>& value,
                                          const std::string& reason);

// The detail of a problem+json body; the body's beginning if it is none.
std::string ProblemDetail(std::string_view json);

// Peers that are not up, or further behind than that, in words; empty: all within the bound.
std::optional<std::string> LagOver(std::string_view json, std::int64_t max_ms);
// True if a write was to be acknowledged by regions and was not in time.
bool IsDegraded(std::string_view json);

// {"fields": {…}}; values that are no UTF-8 become {"base64": …}. nullopt: a name is no UTF-8.
std::optional<std::string> FieldsBody(
    const std::vector<std::pair<std::string, std::string>>& fields);

}  // namespace hawser::ctl
