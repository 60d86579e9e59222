/* The home of one unit (DESIGN 7, homing/home.h) between three regions, every interleaving up to a
 * bound: README.md says which, and why knowledge needs no messages here.
 *
 * A region accepts writes of the unit when it holds itself as home, or no home at all; the home moves
 * it by a plan, anyone takes it over. The txns of others are applied at any time later, in causal
 * order. A home is named by the txn that wrote it. With -D one of the mistakes below is made; run.sh
 * shows that each is found. */

#define N 3 /* regions */
#ifndef TXNS_ASKED
#define TXNS_ASKED 5 /* writes, moves and takeovers, of all regions together */
#endif
#ifndef TAKEOVERS
#define TAKEOVERS 1 /* of them */
#endif
#ifndef LOG
#define LOG 4 /* txns of one region */
#endif

/* txns: 1 + region * LOG + (seq - 1); 0 is none */
#define TXN(r, seq) (1 + (r) * LOG + (seq) - 1)
#define ORIGIN(t) (((t) - 1) / LOG)
#define SEQ(t) (((t) - 1) % LOG + 1)
#define TXNS (N * LOG + 1)

byte own[N];           /* txns a region has written */
byte applied[N * N];   /* its applied cut */
byte clock[N];         /* the latest stamp it has seen */
byte held[N];          /* the home it holds: the txn that said so */
byte asked, taken;     /* of TXNS_ASKED, of TAKEOVERS */
bool sure;             /* a home was confirmed somewhere, and nobody has taken over since */
byte wrote[N];         /* its last write of the unit accepted since, as seq; 0: none */

byte home[TXNS];       /* 1 + the region; 0: the txn says nothing of the home */
byte epoch[TXNS];
bool takeover[TXNS];   /* the kind `max`, else `first` */
byte stamp[TXNS];
byte deps[TXNS * N];   /* the writer's applied cut when it wrote */

hidden byte x, y; /* of one step */
hidden byte fallen, outranked, unlike, lacking, acceptors;

#define APPLIED(r, o) applied[(r) * N + (o)]
#define DEPS(t, o) deps[(t) * N + (o)]
#define HOME(r) home[held[r]] /* 0: none, as nothing holds txn 0 */

/* the order of cells: epoch, kind, then of takeovers the larger region, of others the smaller version */
#define LATER_VERSION(a, b) (stamp[a] > stamp[b] || stamp[a] == stamp[b] && ORIGIN(a) > ORIGIN(b))
#ifdef TAKEOVER_UNRANKED
#define BY_KIND(a, b) LATER_VERSION(b, a)
#else
#define BY_KIND(a, b) (takeover[a] && !takeover[b] || takeover[a] == takeover[b] && \
  (!takeover[a] && LATER_VERSION(b, a) || \
   takeover[a] && (home[a] > home[b] || home[a] == home[b] && LATER_VERSION(a, b))))
#endif
#if defined(EPOCH_IGNORED) /* the later word is the home */
#define ABOVE(a, b) LATER_VERSION(a, b)
#else
#define ABOVE(a, b) (epoch[a] > epoch[b] || epoch[a] == epoch[b] && BY_KIND(a, b))
#endif

/* What r can know of s at best: see claim.pml. */
#define NEXT(r, s) TXN(s, APPLIED(r, s) + 1)
#define KNOWN(r, s, o) (own[s] > APPLIED(r, s) -> DEPS(NEXT(r, s), o) : APPLIED(s, o))
#if defined(CONFIRM_AT_ONCE)
#define COUNTED(r, s, c) true
#elif defined(BEAT_OUTRUNS_LOG) /* a beat counts though what was written before it is not applied */
#define COUNTED(r, s, c) (APPLIED(s, ORIGIN(c)) >= SEQ(c))
#else
#define COUNTED(r, s, c) (KNOWN(r, s, ORIGIN(c)) >= SEQ(c))
#endif
#define HAS(r, s, c) ((s) == (r) || (s) == ORIGIN(c) || COUNTED(r, s, c))
#define CONFIRMED(r) (held[r] != 0 && HAS(r, 0, held[r]) && HAS(r, 1, held[r]) && HAS(r, 2, held[r]))

#if defined(START_BEFORE_HANDOVER) /* told by a call, the new home does not wait for what was before */
#define NAMES(s, r) (own[s] > APPLIED(r, s) && home[TXN(s, own[s])] == (r) + 1 && held[s] == TXN(s, own[s]))
#define ACCEPTS(r) (held[r] == 0 || HOME(r) == (r) + 1 || NAMES((r + 1) % N, r) || NAMES((r + 2) % N, r))
#elif defined(NO_FENCE) /* the old home writes on until another region has heard of the move */
#define UNHEARD(r) (held[r] != 0 && ORIGIN(held[r]) == r && !takeover[held[r]] && \
  APPLIED((r + 1) % N, r) < SEQ(held[r]) && APPLIED((r + 2) % N, r) < SEQ(held[r]))
#define ACCEPTS(r) (held[r] == 0 || HOME(r) == (r) + 1 || UNHEARD(r))
#else
#define ACCEPTS(r) (held[r] == 0 || HOME(r) == (r) + 1)
#endif
#ifdef MOVED_BY_ANYONE
#define MAY_MOVE(r) (held[r] != 0)
#else
#define MAY_MOVE(r) (HOME(r) == (r) + 1)
#endif

/* A txn of r; `to` is the home it names, 1 + the region, or 0. */
inline put(r, to, forced) {
  own[r]++;
  asked++;
  x = TXN(r, own[r]);
  home[x] = to;
  DEPS(x, 0) = APPLIED(r, 0);
  DEPS(x, 1) = APPLIED(r, 1);
  DEPS(x, 2) = APPLIED(r, 2);
  APPLIED(r, r) = own[r];
  if
  :: to != 0 ->
     clock[r]++;
     stamp[x] = clock[r];
     takeover[x] = forced;
     epoch[x] = (held[r] == 0 -> (forced -> 1 : 0) : epoch[held[r]] + 1);
     if
     :: held[r] == 0 || ABOVE(x, held[r]) -> held[r] = x
     :: else
     fi
  :: else
  fi
}

/* A write of the unit: it homes what has no home. The home has all that was accepted before. */
inline write(r) {
  lacking = wrote[(r + 1) % N] > APPLIED(r, (r + 1) % N) || wrote[(r + 2) % N] > APPLIED(r, (r + 2) % N);
  put(r, (held[r] == 0) * (r + 1), false);
  wrote[r] = (sure -> own[r] : 0);
  assert(!(sure && lacking)) /* a planned move loses nothing acknowledged */
}

/* What was promised ends here, until this or another home is confirmed. */
inline take(r, to) {
  taken++;
  sure = false;
  wrote[0] = 0;
  wrote[1] = 0;
  wrote[2] = 0;
  put(r, to, true)
}

inline apply(r, o) {
  APPLIED(r, o) = APPLIED(r, o) + 1;
  x = TXN(o, APPLIED(r, o));
  if
  :: home[x] != 0 ->
     clock[r] = (clock[r] < stamp[x] -> stamp[x] : clock[r]);
     if
     :: held[r] == 0 || ABOVE(x, held[r]) ->
        fallen = held[r] != 0 && epoch[x] < epoch[held[r]];
        outranked = held[r] != 0 && epoch[x] == epoch[held[r]] && takeover[held[r]] && !takeover[x];
        held[r] = x;
        assert(!fallen);   /* epochs never fall */
        assert(!outranked) /* a takeover stands against the plans of a home that had not heard of it */
     :: else
     fi
  :: else
  fi
}

#define ALIKE(r, s) (APPLIED(r, 0) == APPLIED(s, 0) && APPLIED(r, 1) == APPLIED(s, 1) && \
                     APPLIED(r, 2) == APPLIED(s, 2))
/* A confirmed home has a rival only in a takeover by somebody who had seen it. */
#define RANKS(t, c) (home[t] != 0 && takeover[t] && t != c && ABOVE(t, c))
#define RIVALLED(o, c) (own[o] > 0 && RANKS(TXN(o, 1), c) || own[o] > 1 && RANKS(TXN(o, 2), c) || \
                        own[o] > 2 && RANKS(TXN(o, 3), c) || own[o] > 3 && RANKS(TXN(o, 4), c))
#define SURE_BY(r) (CONFIRMED(r) && !RIVALLED(0, held[r]) && !RIVALLED(1, held[r]) && !RIVALLED(2, held[r]))

/* What must hold after every step. */
inline judge() {
  sure = sure || SURE_BY(0) || SURE_BY(1) || SURE_BY(2);
  acceptors = ACCEPTS(0) + ACCEPTS(1) + ACCEPTS(2);
  unlike = (ALIKE(0, 1) && held[0] != held[1]) || (ALIKE(0, 2) && held[0] != held[2]) ||
           (ALIKE(1, 2) && held[1] != held[2]);
  assert(!(sure && acceptors > 1)); /* confirmed, and moved by plan only: one home writes */
  assert(!unlike)                   /* the same cut shows the same home */
}

#define CAUSAL(r, o) (own[o] > APPLIED(r, o) && DEPS(NEXT(r, o), 0) <= APPLIED(r, 0) && \
                      DEPS(NEXT(r, o), 1) <= APPLIED(r, 1) && DEPS(NEXT(r, o), 2) <= APPLIED(r, 2))
#define MAY_WRITE(r) (asked < TXNS_ASKED && own[r] < LOG)
#define MAY_TAKE(r) (MAY_WRITE(r) && taken < TAKEOVERS)

proctype Region(byte r) {
end:
  do
  :: d_step { MAY_WRITE(r) && ACCEPTS(r) -> write(r); judge() }
  :: d_step { MAY_WRITE(r) && MAY_MOVE(r) -> put(r, ((r + 1) % N + 1), false); judge() }
  :: d_step { MAY_WRITE(r) && MAY_MOVE(r) -> put(r, ((r + 2) % N + 1), false); judge() }
  :: d_step { MAY_TAKE(r) -> take(r, (r + 1)); judge() }
  :: d_step { MAY_TAKE(r) -> take(r, ((r + 1) % N + 1)); judge() }
  :: d_step { CAUSAL(r, (r + 1) % N) -> y = (r + 1) % N; apply(r, y); judge() }
  :: d_step { CAUSAL(r, (r + 2) % N) -> y = (r + 2) % N; apply(r, y); judge() }
  :: clock[r] == 0 && asked == 0 -> clock[r] = 2 /* a clock that is ahead */
  od
}

init { atomic { run Region(0); run Region(1); run Region(2) } }
