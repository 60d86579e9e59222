// hiredis_client PORT PEER_PORT: a C client's view of Hawser: calls, pipelines, binary values,
// MULTI, errors, and what another region reads. Prints one line and exits 0, or says what was
// wrong.

#include <hiredis/hiredis.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

namespace {

struct Free {
  void operator()(redisContext* context) const { redisFree(context); }
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Context = std::unique_ptr<redisContext, Free>;
using Reply = std::unique_ptr<redisReply, Free>;

[[noreturn]] void Fail(std::string_view what) {
  std::printf("wrong: %.*s\n", static_cast<int>(what.size()), what.data());
  std::exit(1);
}

void Check(bool good, std::string_view what) {
  if (!good) Fail(what);
}

Context Connect(int port) {
  Context context(redisConnect("127.0.0.1", port));
  Check(context != nullptr && context->err == 0, "cannot connect");
  return context;
}

template <typename... Args>
Reply Call(const Context& context, const char* format, Args... args) {
  Reply reply(static_cast<redisReply*>(redisCommand(context.get(), format, args...)));
  Check(reply != nullptr, std::string("no reply to ") + format + ": " + context->errstr);
  return reply;
}

std::string_view Text(const Reply& reply) {
  return {reply->str, reply->len};
}

void CheckPipeline(const Context& context) {
  constexpr int kCommands = 10'000;
  for (int i = 0; i < kCommands; ++i) {
    Check(redisAppendCommand(context.get(), "SET hiredis:%d value-%d", i, i) == REDIS_OK, "append");
  }
  for (int i = 0; i < kCommands; ++i) {
    void* raw = nullptr;
    Check(redisGetReply(context.get(), &raw) == REDIS_OK, "a pipelined reply did not come");
    const Reply reply(static_cast<redisReply*>(raw));
    Check(reply->type == REDIS_REPLY_STATUS && Text(reply) == "OK", "a pipelined SET was refused");
  }
}

void CheckBinary(const Context& context) {
  std::string value;
  for (int i = 0; i < 100'000; ++i) value.push_back(static_cast<char>(i * 7));
  const std::string key("bin\0\r\n\xff", 7);
  Call(context, "SET %b %b", key.data(), key.size(), value.data(), value.size());
  Check(Text(Call(context, "GET %b", key.data(), key.size())) == value, "binary value");
}

}  // namespace

int main(int argc, char** argv) {
  Check(argc == 3, "usage: hiredis_client PORT PEER_PORT");
  const Context context = Connect(std::atoi(argv[1]));
  const Context peer = Connect(std::atoi(argv[2]));
  Check(Text(Call(context, "PING")) == "PONG", "PING");
  CheckPipeline(context);
  CheckBinary(context);

  Call(context, "MULTI");
  Call(context, "HSET h f 1");
  Call(context, "INCRBY c 5");
  const Reply bundle = Call(context, "EXEC");
  Check(bundle->type == REDIS_REPLY_ARRAY && bundle->elements == 2, "EXEC gives two replies");
  Check(bundle->element[1]->integer == 5, "INCRBY in MULTI");
  Check(Call(context, "GET missing")->type == REDIS_REPLY_NIL, "nil");
  const Reply error = Call(context, "INCR h");
  Check(error->type == REDIS_REPLY_ERROR && Text(error).starts_with("WRONGTYPE"), "WRONGTYPE");
  Check(Call(context, "LPUSH list 1")->type == REDIS_REPLY_ERROR, "lists are refused");

  const Reply regions = Call(context, "WAIT 1 10000");
  Check(regions->type == REDIS_REPLY_INTEGER && regions->integer >= 1, "WAIT 1");
  Check(Text(Call(peer, "GET hiredis:9999")) == "value-9999",
        "the peer reads what WAIT waited for");
  std::printf("hiredis: 10,000 pipelined writes, binary, MULTI, errors, WAIT 1: all as expected\n");
  return 0;
}
