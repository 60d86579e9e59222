#include "daemon/node.h"

#include <mutex>
#include <shared_mutex>
#include <utility>

#include "daemon/admin/explainer.h"
#include "daemon/admin/forward_http.h"
#include "daemon/admin/server.h"
#include "daemon/calls/call_desk.h"
#include "daemon/config/secret.h"
#include "daemon/declare_job.h"
#include "daemon/doors.h"
#include "daemon/escrow/rights_keeper.h"
#include "daemon/exit_codes.h"
#include "daemon/feed_wiring.h"
#include "daemon/feeds/claim_teller.h"
#include "daemon/homes/home_mover.h"
#include "daemon/log.h"
#include "daemon/log_codes.h"
#include "daemon/redis/forward.h"
#include "daemon/redis/server.h"
#include "daemon/status_line.h"
#include "daemon/wiring.h"
#include "wan/wire.h"

namespace hawser {
namespace {

constexpr std::string_view kConfig = "config";

// Where the link's messages go while there is somebody to take them: calls to the call desk, all
// else to the engine. The link outlives both, so that the last txns are still sent.
class Crossing {
 public:
  void Open(Engine* engine) {
    const std::unique_lock lock(mutex_);
    engine_ = engine;
  }
  void Open(CallDesk* calls) {
    const std::unique_lock lock(mutex_);
    calls_ = calls;
  }
  void Close() {
    const std::unique_lock lock(mutex_);
    engine_ = nullptr;
    calls_ = nullptr;
  }
  void Receive(Received message) {
    const std::shared_lock lock(mutex_);
    if (VerbOf(message.bytes) == "call") {
      if (calls_ != nullptr) calls_->OnReceived(std::move(message));
    } else if (engine_ != nullptr) {
      engine_->OnReceived(std::move(message));
    }
  }

 private:
  std::shared_mutex mutex_;
  Engine* engine_ = nullptr;
  CallDesk* calls_ = nullptr;
};

LogLevel LevelOf(std::string_view level) {
  if (level == "error") return LogLevel::kError;
  if (level == "warning") return LogLevel::kWarning;
  return level == "debug" ? LogLevel::kDebug : LogLevel::kInfo;
}

// A remark of the engine, at the level that its code has.
void LogRemark(const char* code, const std::string& text) {
  const LogCode* known = FindLogCode(code);
  if (known != nullptr) {
    Log(LevelOf(known->level), "engine", known->code, text);
  } else {
    Log(LogLevel::kInfo, "engine", code::kRemark, text, {{"remark", code}});
  }
}

StartFailure StoreFailure(const OpenError& error) {
  const std::string& text = error.message;
  switch (error.error) {
    case StorageError::kLocked:
      return {kExitTryAgain, code::kStoreLocked,
              text + "; stop the other hawserd, or name another storage.path"};
    case StorageError::kForeign:
      return {
          kExitStorage, code::kStoreFailed,
          text + "; name this region's own storage.path, or mend [cluster], [region], [[regions]]"};
    case StorageError::kNewer:
      return {kExitStorage, code::kStoreFailed, text + "; install that newer version again"};
    case StorageError::kCorrupt:
      return {kExitStorage, code::kStoreFailed,
              text +
                  "; keep the directory for a look and put a sound copy of it back; the other "
                  "regions have what was shipped"};
    case StorageError::kFull:
      return {kExitStorage, code::kStoreFailed, text + "; free space on that disk"};
    case StorageError::kNotFound:
    case StorageError::kIo:
      break;
  }
  return {kExitStorage, code::kStoreFailed,
          text +
              "; check that the directory exists, is writable for this user, and that its disk is "
              "sound"};
}

}  // namespace

// Where writes that other regions forward are answered while there is a REST server.
class RestDoor {
 public:
  void Open(AdminServer* server) {
    const std::lock_guard lock(mutex_);
    server_ = server;
  }
  void Answer(std::string bytes, CallAnswerer answer) {
    const std::lock_guard lock(mutex_);
    if (server_ != nullptr) server_->Answer(std::move(bytes), std::move(answer));
  }

 private:
  std::mutex mutex_;
  AdminServer* server_ = nullptr;
};

struct Node::Parts {
  Config config;
  TokenBook tokens;
  Crossing crossing;
  std::unique_ptr<Link> link;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<ClaimTeller> teller;
  std::shared_ptr<RestDoor> door = std::make_shared<RestDoor>();
  CallsDoor calls_door;  // what runs on the engine may ask for a call while the desk is gone
  std::unique_ptr<RightsKeeper> rights;
  std::unique_ptr<CallDesk> calls;
  std::unique_ptr<HomeMover> mover;
  std::unique_ptr<RedisServer> redis;
  std::unique_ptr<AdminServer> admin;
  std::unique_ptr<FeedPublisher> feeds;

  ~Parts() {
    feeds.reset();
    door->Open(nullptr);
    if (redis) redis->Stop();
    if (admin) admin->Stop();
    redis.reset();
    admin.reset();
    crossing.Close();
    calls_door.Close();
    calls.reset();
    teller.reset();
    if (rights) rights->Close();
    engine.reset();  // commits and answers what was taken; its last messages go to the link
    link.reset();
  }
};

Node::Node(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Node::~Node() = default;
const Engine& Node::engine() const {
  return *parts_->engine;
}
Declared Node::Declare(const Schema& schema) {
  return DeclareSchema(*parts_->engine, schema);
}

std::expected<std::unique_ptr<Node>, StartFailure> Node::Start(const Config& config,
                                                               std::string_view version,
                                                               OnEnd on_end,
                                                               const ConfigState& state) {
  auto parts = std::make_unique<Parts>();
  parts->config = config;
  auto tokens = TokenBook::Read(config.tokens);
  if (!tokens) return std::unexpected(StartFailure{kExitConfig, code::kConfigBad, tokens.error()});
  parts->tokens = std::move(*tokens);

  auto store = LmdbStore::Open(StoreOptionsOf(config));
  if (!store) return std::unexpected(StoreFailure(store.error()));
  const Origin self = (*store)->self();
  Log(LogLevel::kInfo, "store", code::kStoreOpened, "store opened",
      {{"path", config.storage.path}, {"incarnation", std::to_string(Raw(self.incarnation))}});

  LinkOptions link_options = LinkOptionsOf(config, self.incarnation);
  link_options.log = [](const std::string& level, const std::string& text) {
    Log(LevelOf(level), "link", code::kNats, text);
  };
  parts->link = Link::Start(
      std::move(link_options),
      [&crossing = parts->crossing](Received message) { crossing.Receive(std::move(message)); });
  if (!parts->link) {
    return std::unexpected(StartFailure{kExitConfig, code::kLinkFailed,
                                        "the connections to NATS cannot be set up as configured; "
                                        "the line before says why"});
  }

  EngineOptions engine_options = EngineOptionsOf(config, version);
  Link& link = *parts->link;
  engine_options.publish = [&link](Send send) { link.Publish(std::move(send)); };
  engine_options.queued_bytes = [&link](RegionId region) { return link.QueuedBytes(region); };
  parts->rights = std::make_unique<RightsKeeper>(self, parts->calls_door);
  engine_options.wish_rights = [&rights = *parts->rights](RightsWish wish) {
    rights.Wish(std::move(wish));
  };
  engine_options.on_end = std::move(on_end);
  engine_options.remark = LogRemark;
  parts->engine = StartEngine(std::move(engine_options), std::move(*store));
  parts->crossing.Open(parts->engine.get());

  const Declared declared = DeclareSchema(*parts->engine, config.schema);
  if (!declared.contradictions.empty()) {
    LogContradictions(declared.contradictions, config, LogLevel::kError, code::kSchemaContradicts,
                      "contradicts what is declared");
    return std::unexpected(StartFailure{
        kExitConfig, code::kConfigBad,
        "[[tables]] contradicts what is declared already; the lines before say where"});
  }
  if (declared.refused) {
    Log(LogLevel::kWarning, kConfig, code::kSchemaNotDeclared,
        "the rules of [[tables]] could not be declared now; it is tried again",
        {{"reason", GateText(*declared.refused)}});
  }

  ClaimTellerOptions teller = ClaimTellerOptionsOf(config);
  if (!config.webhook.secret_file.empty()) {
    auto secret = config::ReadSecret(config.webhook.secret_file);
    if (!secret) {
      return std::unexpected(
          StartFailure{kExitConfig, code::kConfigBad, "[webhook] secret_file: " + secret.error()});
    }
    teller.webhook.secret = std::move(*secret);
  }
  const std::string events = "hw." + config.cluster + ".events." + config.region + ".";
  teller.publish = [&link, events](const std::string& kind, std::string json) {
    link.PublishLocal(events + kind, std::move(json));
  };
  teller.conflicts_logged = [&engine = *parts->engine] { return engine.conflicts_logged(); };
  teller.remark = [](bool failing, const std::string& why) {
    Log(failing ? LogLevel::kWarning : LogLevel::kInfo, "webhook", code::kRemark,
        failing ? "the webhook does not take an event, it is tried again: " + why
                : std::string("the webhook takes events again"));
  };
  parts->teller = std::make_unique<ClaimTeller>(std::move(teller), parts->engine->NewReader());

  const admin::ExplainerOptions explainer = ExplainerOptionsOf(config);
  CallDeskOptions desk = CallDeskOptionsOf(config);
  desk.handlers = {
      {std::string(admin::kExplainVerb), ExplainHandler(explainer, *parts->engine)},
      {std::string(redis::kForwardVerb), redis::ForwardHandler(*parts->engine)},
      {std::string(admin::kForwardHttpVerb),
       [door = parts->door](CallTask task, CallAnswerer answer) {
         door->Answer(std::move(task.body), std::move(answer));
       }},
      {std::string(kRightsVerb), RightsHandler(config.self, *parts->engine, *parts->rights)},
      {std::string(kHomeMoveVerb), HomeMoveHandler(config.self, *parts->engine)},
  };
  desk.publish = [&link](Send send) { link.Publish(std::move(send)); };
  desk.clock_ms = [&engine = *parts->engine] { return engine.clock_ms(); };
  parts->calls = std::make_unique<CallDesk>(std::move(desk));
  parts->crossing.Open(parts->calls.get());
  parts->calls_door.Open(parts->calls.get());
  parts->rights->Open(*parts->engine);
  const ExplainRecord explain = MakeExplainer(explainer, *parts->engine, parts->calls_door);

  RedisOptions redis_options = GuardedRedisOptions(config, version, parts->tokens);
  redis_options.explain = explain;
  redis_options.calls = &parts->calls_door;
  parts->mover = std::make_unique<HomeMover>(
      HomeMover{.self = config.self, .engine = *parts->engine, .calls = parts->calls_door});
  redis_options.home_mover = parts->mover.get();
  auto redis = RedisServer::Start(std::move(redis_options), *parts->engine);
  if (!redis) {
    return std::unexpected(StartFailure{kExitTryAgain, code::kListenFailed, redis.error()});
  }
  parts->redis = std::move(*redis);
  AdminOptions admin_options = GuardedAdminOptions(config, version, parts->tokens, link,
                                                   *parts->redis, *parts->calls, state);
  admin_options.explain = explain;
  admin_options.calls = &parts->calls_door;
  admin_options.home_mover = parts->mover.get();
  auto admin = AdminServer::Start(std::move(admin_options), *parts->engine);
  if (!admin) {
    return std::unexpected(StartFailure{kExitTryAgain, code::kListenFailed, admin.error()});
  }
  parts->admin = std::move(*admin);
  parts->feeds = std::make_unique<FeedPublisher>(FeedOptionsOf(config, self, link), *parts->engine);
  parts->door->Open(parts->admin.get());
  return std::unique_ptr<Node>(new Node(std::move(parts)));
}

}  // namespace hawser
