#include "daemon/admin/json_writer.h"
#include "daemon/admin/routes.h"
#include "daemon/admin/text.h"

namespace hawser::admin {
namespace {

// The schemas that routes name. A value is a string, or an object with base64.
struct NamedSchema {
  const char* name;
  const char* json;
};
constexpr NamedSchema
    kSchemas[] =
        {
            {"Value",
             R"({"oneOf":[{"type":"string"},{"type":"object","required":["base64"],"additionalProperties":false,"properties":{"base64":{"type":"string","contentEncoding":"base64"}}}]})"},
            {"Problem",
             R"({"type":"object","required":["type","title","status","code","detail"],"properties":{"type":{"type":"string"},"title":{"type":"string"},"status":{"type":"integer"},"code":{"type":"string"},"detail":{"type":"string"},"request_id":{"type":"string"},"retry_after":{"type":"integer"}}})"},
            {"Status",
             R"({"type":"object","required":["status"],"properties":{"status":{"type":"string"},"checks":{"type":"array","items":{"type":"object","properties":{"name":{"type":"string"},"ok":{"type":"boolean"},"detail":{"type":"string"}}}}}})"},
            {"Version",
             R"({"type":"object","properties":{"name":{"type":"string"},"version":{"type":"string"},"commit":{"type":"string"},"cluster":{"type":"string"},"region":{"type":"string"}}})"},
            {"BinaryField",
             R"({"type":"object","required":["name","value"],"properties":{"name":{"$ref":"#/components/schemas/Value"},"value":{"$ref":"#/components/schemas/Value"}}})"},
            {"Record",
             R"({"type":"object","required":["table","key","version","fields"],"properties":{"table":{"type":"string"},"key":{"$ref":"#/components/schemas/Value"},"version":{"type":"string"},"fields":{"type":"object","additionalProperties":{"$ref":"#/components/schemas/Value"}},"binary_fields":{"type":"array","items":{"$ref":"#/components/schemas/BinaryField"}},"expires_at":{"type":"string","format":"date-time"}}})"},
            {"RecordPage",
             R"({"type":"object","required":["records"],"properties":{"records":{"type":"array","items":{"$ref":"#/components/schemas/Record"}},"next_page_token":{"type":"string"}}})"},
            {"RecordBody",
             R"({"type":"object","additionalProperties":false,"properties":{"fields":{"type":"object","additionalProperties":{"oneOf":[{"$ref":"#/components/schemas/Value"},{"type":"null"}]}},"binary_fields":{"type":"array","items":{"$ref":"#/components/schemas/BinaryField"}},"expires_at":{"type":["string","null"],"format":"date-time"}}})"},
            {"Dot",
             R"({"type":["object","null"],"properties":{"region":{"type":"string"},"incarnation":{"type":"string"},"seq":{"type":"string"}}})"},
            {"ChangeResult",
             R"({"type":"object","required":["table","key","result"],"properties":{"table":{"type":"string"},"key":{"$ref":"#/components/schemas/Value"},"result":{"enum":["created","updated","deleted","absent"]},"version":{"type":"string"},"value":{"type":"string"},"not_written":{"type":"array","items":{"$ref":"#/components/schemas/Value"}}}})"},
            {"Acks",
             R"({"type":"object","required":["asked","reached","degraded"],"properties":{"asked":{"type":"integer"},"reached":{"type":"integer"},"degraded":{"type":"boolean"}}})"},
            {"WriteReply",
             R"({"allOf":[{"$ref":"#/components/schemas/ChangeResult"},{"type":"object","required":["dot","token"],"properties":{"dot":{"$ref":"#/components/schemas/Dot"},"token":{"type":"string"},"acks":{"$ref":"#/components/schemas/Acks"}}}]})"},
            {"Change",
             R"({"type":"object","required":["op"],"additionalProperties":false,"properties":{"op":{"enum":["put","patch","delete","incr","claim","release"]},"name":{"type":"string"},"value":{"$ref":"#/components/schemas/Value"},"owner":{"$ref":"#/components/schemas/Value"},"table":{"type":"string"},"key":{"$ref":"#/components/schemas/Value"},"fields":{"type":"object"},"binary_fields":{"type":"array","items":{"$ref":"#/components/schemas/BinaryField"}},"expires_at":{"type":["string","null"],"format":"date-time"},"field":{"$ref":"#/components/schemas/Value"},"by":{"type":["integer","number","string"]},"if_version":{"type":"string"},"if_absent":{"const":true}}})"},
            {"Txn",
             R"({"type":"object","required":["changes"],"additionalProperties":false,"properties":{"changes":{"type":"array","minItems":1,"items":{"$ref":"#/components/schemas/Change"}}}})"},
            {"TxnReply",
             R"({"type":"object","required":["results","dot","token"],"properties":{"results":{"type":"array","items":{"$ref":"#/components/schemas/ChangeResult"}},"dot":{"$ref":"#/components/schemas/Dot"},"token":{"type":"string"},"acks":{"$ref":"#/components/schemas/Acks"}}})"},
            {"ConflictSide",
             R"({"type":"object","required":["value","version","region"],"properties":{"value":{"oneOf":[{"$ref":"#/components/schemas/Value"},{"type":"null"}]},"version":{"type":"string"},"written_at":{"type":"string","format":"date-time"},"region":{"type":"string"}}})"},
            {"Conflict",
             R"({"type":"object","required":["id","at","table","key","field","kind","rule","winner","loser"],"properties":{"id":{"type":"string"},"at":{"type":"string","format":"date-time"},"table":{"type":"string"},"key":{"$ref":"#/components/schemas/Value"},"field":{"oneOf":[{"$ref":"#/components/schemas/Value"},{"type":"null"}]},"expiry":{"const":true},"kind":{"enum":["write","delete","state","claim","home","idempotency","rejected"]},"rule":{"enum":["lww","states","first","max","min"]},"winner":{"$ref":"#/components/schemas/ConflictSide"},"loser":{"$ref":"#/components/schemas/ConflictSide"},"resolution":{"oneOf":[{"$ref":"#/components/schemas/Resolution"},{"type":"null"}]},"current":{"oneOf":[{"$ref":"#/components/schemas/Record"},{"type":"null"}]}}})"},
            {"Resolution",
             R"({"type":"object","required":["take","by","region","at","reason","in_effect"],"properties":{"take":{"enum":["winner","loser","value"]},"before":{},"after":{},"by":{"type":"string"},"region":{"type":"string"},"at":{"type":"string","format":"date-time"},"reason":{"type":"string"},"in_effect":{"type":"boolean"}}})"},
            {"Take",
             R"({"oneOf":[{"enum":["winner","loser"]},{"type":"object","required":["value"],"additionalProperties":false,"properties":{"value":{"oneOf":[{"$ref":"#/components/schemas/Value"},{"type":"null"}]}}}]})"},
            {"ClaimBody",
             R"({"type":"object","required":["owner"],"additionalProperties":false,"properties":{"owner":{"$ref":"#/components/schemas/Value"},"request_id":{"type":"string","minLength":1,"maxLength":128}}})"},
            {"Claim",
             R"({"type":"object","required":["name","value","state","token"],"properties":{"name":{"type":"string"},"value":{"$ref":"#/components/schemas/Value"},"state":{"enum":["free","pending","confirmed"]},"owner":{"$ref":"#/components/schemas/Value"},"silent_regions":{"type":"array","items":{"type":"string"}},"token":{"type":"string"}}})"},
            {"Resolve",
             R"({"type":"object","required":["take","reason"],"additionalProperties":false,"properties":{"take":{"$ref":"#/components/schemas/Take"},"reason":{"type":"string","minLength":1,"maxLength":1000}}})"},
            {"ResolveReply",
             R"({"type":"object","required":["id"],"properties":{"id":{"type":"string"},"table":{"type":"string"},"key":{"$ref":"#/components/schemas/Value"},"field":{"oneOf":[{"$ref":"#/components/schemas/Value"},{"type":"null"}]},"before":{"oneOf":[{"$ref":"#/components/schemas/Value"},{"type":"null"}]},"after":{"oneOf":[{"$ref":"#/components/schemas/Value"},{"type":"null"}]},"version":{"type":"string"},"token":{"type":"string"},"code":{"type":"string"},"detail":{"type":"string"}}})"},
            {"ResolveMany",
             R"({"type":"object","required":["take","reason"],"additionalProperties":false,"properties":{"take":{"$ref":"#/components/schemas/Take"},"reason":{"type":"string","minLength":1,"maxLength":1000},"ids":{"type":"array","minItems":1,"maxItems":1000,"items":{"type":"string"}},"filter":{"type":"object"},"limit":{"type":"integer","minimum":1,"maximum":1000}}})"},
            {"ResolveManyReply",
             R"({"type":"object","required":["results","resolved","refused","more"],"properties":{"results":{"type":"array","items":{"$ref":"#/components/schemas/ResolveReply"}},"resolved":{"type":"integer"},"refused":{"type":"integer"},"more":{"type":"boolean"}}})"},
            {"AuditPage", R"({"type":"object","required":["entries","chain"],"properties":{"entries":{"type":"array","items":{"type":"object","required":["seq","hash"],"properties":{"seq":{"type":"string"},"at":{"type":"string","format":"date-time"},"what":{"type":"string"},"by":{"type":"string"},"region":{"type":"string"},"subject":{"type":"string"},"reason":{"type":"string"},"take":{"type":"string"},"table":{"type":"string"},"key":{"$ref":"#/components/schemas/Value"},"field":{},"before":{},"after":{},"hash":{"type":"string"}}}},"chain":{"type":"object","required":["verified","length"],"properties":{"verified":{"type":"boolean"},"broken_at":{"type":["string","null"]},"length":{"type":"string"},"head":{"type":"string"}}},"next_page_token":{"type":"string"}}})"},
            {"Explain",
             R"({"type":"object","required":["table","key","region","state","cells","conflicts","peers"],"properties":{"table":{"type":"string"},"key":{"$ref":"#/components/schemas/Value"},"region":{"type":"string"},"state":{"enum":["alive","dead","absent"]},"version":{"type":"string"},"cells":{"type":"array","items":{"type":"object","properties":{"field":{},"expiry":{"const":true},"shows":{},"value":{},"null":{"type":"boolean"},"kind":{"type":"string"},"generation":{"type":"string"},"rank":{"type":"string"},"version":{"type":"string"},"written_at":{"type":"string","format":"date-time"},"region":{"type":"string"},"incarnation":{"type":"string"},"seq":{"type":"string"},"stable":{"type":"boolean"},"arrived_at":{"type":["string","null"],"format":"date-time"},"added":{"type":"array","items":{"type":"object"}}}}},"conflicts":{"type":"array","items":{"$ref":"#/components/schemas/Conflict"}},"peers":{"type":"array","items":{"type":"object","required":["region","asked","answered"],"properties":{"region":{"type":"string"},"asked":{"type":"boolean"},"answered":{"type":"boolean"},"detail":{"type":"string"},"same":{"type":"boolean"},"state":{"enum":["alive","dead","absent"]},"version":{"type":"string"},"cells":{"type":"array","items":{"type":"object"}},"conflicts":{"type":"array","items":{"$ref":"#/components/schemas/Conflict"}}}}},"regions_agree":{"enum":["yes","no","as far as they answered"]}}})"},
            {"ConflictPage",
             R"({"type":"object","required":["conflicts"],"properties":{"conflicts":{"type":"array","items":{"$ref":"#/components/schemas/Conflict"}},"next_page_token":{"type":"string"}}})"},
            {"AppliedChange",
             R"({"type":"object","required":["table","key","wrote","version","dot","written_at"],"properties":{"table":{"type":"string"},"key":{"$ref":"#/components/schemas/Value"},"wrote":{"type":"array","items":{"type":"object","properties":{"field":{"$ref":"#/components/schemas/Value"},"value":{"oneOf":[{"$ref":"#/components/schemas/Value"},{"type":"null"}]},"add":{"type":"number"},"expires_at":{"type":["string","null"],"format":"date-time"}}}},"values_left_out":{"const":true},"version":{"type":"string"},"dot":{"$ref":"#/components/schemas/Dot"},"more_of_txn":{"const":true},"written_at":{"type":"string","format":"date-time"},"applied_at":{"type":"string","format":"date-time"}}})"},
            {"Home",
             R"({"type":"object","required":["table","unit","home","epoch","state"],"properties":{"table":{"type":"string"},"unit":{"$ref":"#/components/schemas/Value"},"home":{"type":["string","null"]},"epoch":{"type":"string"},"state":{"enum":["none","pending","confirmed"]},"taken_over":{"type":"boolean"}}})"},
            {"HomePage",
             R"({"type":"object","required":["homes"],"properties":{"homes":{"type":"array","items":{"$ref":"#/components/schemas/Home"}},"next_page_token":{"type":"string"}}})"},
            {"HomeMove",
             R"({"type":"object","required":["region","reason"],"properties":{"region":{"type":"string"},"reason":{"type":"string"},"force":{"type":"boolean"}}})"},
            {"Backlog",
             R"({"type":"object","properties":{"behind_txns":{"type":"string"},"behind_bytes":{"type":"string"},"behind_seconds":{"type":"number"},"oldest_unacked_at":{"type":["string","null"],"format":"date-time"}}})"},
            {"Way",
             R"({"type":"object","properties":{"link":{"enum":["up","slow","down","held","stale"]},"lifecycle":{"type":"string"},"rtt_ms":{"type":["number","null"]},"clock_offset_ms":{"type":"number"},"last_heard_at":{"type":["string","null"],"format":"date-time"}}})"},
            {"Regions",
             R"({"type":"object","required":["cluster","self","at","regions"],"properties":{"cluster":{"type":"string"},"self":{"type":"string"},"at":{"type":"string","format":"date-time"},"regions":{"type":"array","items":{"allOf":[{"$ref":"#/components/schemas/Way"},{"type":"object","required":["name","id","self"],"properties":{"name":{"type":"string"},"id":{"type":"integer"},"self":{"type":"boolean"},"incarnation":{"type":["string","null"]},"software":{"type":"string"},"writes":{"type":"string"},"outgoing":{"$ref":"#/components/schemas/Backlog"},"incoming":{"$ref":"#/components/schemas/Backlog"},"held_txns":{"type":"string"},"held_reason":{"type":"string"},"receiving_paused":{"type":"boolean"},"nats_connected":{"type":"boolean"},"nats_error":{"type":"string"}}}]}}}})"},
            {"Lag",
             R"({"type":"object","required":["region","at","lag"],"properties":{"region":{"type":"string"},"at":{"type":"string","format":"date-time"},"lag":{"type":"array","items":{"allOf":[{"$ref":"#/components/schemas/Backlog"},{"$ref":"#/components/schemas/Way"},{"type":"object","required":["peer","direction"],"properties":{"peer":{"type":"string"},"direction":{"enum":["outgoing","incoming"]}}}]}}}})"},
            {"Cut",
             R"({"type":"object","required":["region","token","applied","stable"],"properties":{"region":{"type":"string"},"token":{"type":"string"},"applied":{"type":"array","items":{"$ref":"#/components/schemas/Dot"}},"stable":{"type":"array","items":{"$ref":"#/components/schemas/Dot"}},"stable_lag_seconds":{"type":"number"}}})"},
};

void WriteRef(std::string_view schema, JsonWriter& json) {
  json.BeginObject();
  json.Member("$ref", "#/components/schemas/" + std::string(schema));
  json.EndObject();
}

void WriteContent(std::string_view type, std::string_view schema, JsonWriter& json) {
  json.Key("content");
  json.BeginObject();
  json.Key(type);
  json.BeginObject();
  json.Key("schema");
  WriteRef(schema, json);
  json.EndObject();
  json.EndObject();
}

void WriteParameter(std::string_view name, std::string_view in, std::string_view what,
                    JsonWriter& json) {
  json.BeginObject();
  json.Member("name", name);
  json.Member("in", in);
  json.Key("required");
  json.Bool(in == "path");
  if (!what.empty()) json.Member("description", what);
  json.Key("schema");
  json.Raw(R"({"type":"string"})");
  json.EndObject();
}

void WriteParameters(const Route& route, JsonWriter& json) {
  json.Key("parameters");
  json.BeginArray();
  for (std::string_view rest = route.pattern; rest.find('{') != std::string_view::npos;) {
    rest.remove_prefix(rest.find('{') + 1);
    WriteParameter(rest.substr(0, rest.find('}')), "path", "", json);
  }
  for (const QueryDoc& query : route.query) WriteParameter(query.name, "query", query.what, json);
  const bool writes = route.role == Role::kApp;
  const bool record = route.pattern.ends_with("{key}");
  if (route.pattern.starts_with("/v1/t")) {
    WriteParameter("Hawser-Token", "header", "first wait until what it names is applied here",
                   json);
    WriteParameter("Prefer", "header", "wait=S: how long to wait, at most 60 seconds", json);
  }
  if (writes) {
    WriteParameter("Hawser-Wait-Regions", "header",
                   "how many other regions, or `all`, shall have it durably before the answer",
                   json);
  }
  if (writes && !route.pattern.starts_with("/v1/unique")) {
    WriteParameter("Idempotency-Key", "header",
                   "1 to 128 bytes: carried out once, a retry gets the first answer with "
                   "Hawser-Replayed: true",
                   json);
  }
  if (writes && record) {
    WriteParameter("If-Match", "header", "the ETag the record must have, or *", json);
    WriteParameter("If-None-Match", "header", "*: the record must not exist", json);
  }
  json.EndArray();
}

void WriteResponses(const Route& route, JsonWriter& json) {
  json.Key("responses");
  json.BeginObject();
  for (const int status : route.statuses) {
    json.Key(std::to_string(status));
    json.BeginObject();
    json.Member("description", StatusText(status));
    const bool good = status < 300;
    if (!good && status != 304) WriteContent("application/problem+json", "Problem", json);
    if (good && !route.reply_schema.empty()) {
      WriteContent(route.reply_type, route.reply_schema, json);
    }
    json.EndObject();
  }
  json.Key("default");
  json.BeginObject();
  json.Member("description", "a problem (RFC 9457)");
  WriteContent("application/problem+json", "Problem", json);
  json.EndObject();
  json.EndObject();
}

void WriteOperation(const Route& route, JsonWriter& json) {
  json.Key(Lower(Text(route.method)));
  json.BeginObject();
  json.Member("summary", route.summary);
  WriteParameters(route, json);
  if (!route.body_schema.empty()) {
    json.Key("requestBody");
    json.BeginObject();
    json.Key("required");
    json.Bool(true);
    WriteContent("application/json", route.body_schema, json);
    json.EndObject();
  }
  WriteResponses(route, json);
  json.EndObject();
}

}  // namespace

std::string OpenApi(const std::vector<Route>& routes, std::string_view software) {
  JsonWriter json;
  json.BeginObject();
  json.Member("openapi", "3.1.0");
  json.Key("info");
  json.BeginObject();
  json.Member("title", "Hawser");
  json.Member("version", software);
  json.EndObject();
  json.Key("paths");
  json.BeginObject();
  for (std::size_t i = 0; i < routes.size(); ++i) {
    if (i > 0 && routes[i].pattern == routes[i - 1].pattern) continue;
    json.Key(routes[i].pattern);
    json.BeginObject();
    for (const Route& route : routes) {
      if (route.pattern == routes[i].pattern) WriteOperation(route, json);
    }
    json.EndObject();
  }
  json.EndObject();
  json.Key("components");
  json.BeginObject();
  json.Key("schemas");
  json.BeginObject();
  for (const NamedSchema& schema : kSchemas) {
    json.Key(schema.name);
    json.Raw(schema.json);
  }
  json.EndObject();
  json.EndObject();
  json.EndObject();
  return json.Take();
}

}  // namespace hawser::admin
