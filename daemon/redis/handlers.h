#pragma once

// What carries out the commands of command.cc, by family: commands_strings.cc,
// commands_counters.cc, commands_keys.cc, commands_hashes.cc (data, on a Call);
// commands_connection.cc, commands_bundles.cc, commands_scan.cc, commands_server.cc,
// commands_hawser.cc, commands_homes.cc (on a ClientCall, I/O thread).

namespace hawser::redis {

class Call;
class ClientCall;

using Handler = void(Call&);
Handler Get, MGet, StrLen, GetRange, Set, SetNx, SetEx, PSetEx, GetSet, GetDel, GetEx, MSet, MSetNx,
    Append, SetRange;
Handler Incr, Decr, IncrBy, DecrBy, IncrByFloat, HIncrBy, HIncrByFloat;
Handler Exists, Type, Ttl, PTtl, ExpireTime, PExpireTime, Del, Expire, PExpire, ExpireAt, PExpireAt,
    Persist, Rename, RenameNx, Copy;
Handler HGet, HMGet, HGetAll, HKeys, HVals, HExists, HLen, HStrLen, HScan, HRandField, HSet, HMSet,
    HSetNx, HDel;
Handler Ping, Echo, Time, Select;
Handler UniqInBundle;

// The subcommands of CLIENT about tracking; false: it is none of them. commands_tracking.cc
bool TrackingCommand(ClientCall& call);

using ClientHandler = void(ClientCall&);
ClientHandler Multi, Exec, Discard, Watch, Unwatch;
ClientHandler Hello, Auth, Quit, Reset, ClientCommand, Subscribe, PSubscribe, Unsubscribe,
    PUnsubscribe;
ClientHandler Scan, Keys, DbSize, RandomKey, Flush;
ClientHandler CommandCommand, Config, Info, Wait, Hawser, HomeCommand, Uniq;

}  // namespace hawser::redis
