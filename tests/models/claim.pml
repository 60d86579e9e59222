/* Claims of one unique value (DESIGN 8, homing/claim.h) between three regions, every interleaving up
 * to a bound: README.md says which, and why knowledge needs no messages here.
 *
 * A region writes claims, releases and, when a release kills its claim, the claim again; it applies
 * the txns of others at any time later, in causal order. A cell is named by the txn that wrote it.
 * With -D one of the mistakes below is made; run.sh shows that each is found. */

#define N 3 /* regions */
#ifndef WRITES
#define WRITES 4 /* claims and releases asked for, of all regions together */
#endif
#ifndef LOG
#define LOG 4 /* txns of one region, what it claims again included */
#endif
#ifndef LEAP
#define LEAP 2 /* a stamp is up to so much above the latest the region has seen */
#endif
#ifdef ONE_OWNER_IN_TWO
#define OWNER(r) ((r) == 2 -> 0 : (r)) /* an owner who claims in the first region and in the last */
#else
#define OWNER(r) (r)
#endif

/* txns: 1 + region * LOG + (seq - 1); 0 is none */
#define TXN(r, seq) (1 + (r) * LOG + (seq) - 1)
#define ORIGIN(t) (((t) - 1) / LOG)
#define SEQ(t) (((t) - 1) % LOG + 1)
#define TXNS (N * LOG + 1)

byte own[N];           /* txns a region has written */
byte applied[N * N];   /* its applied cut */
byte clock[N];         /* the latest stamp it has seen */
byte held[N];          /* the cell it holds */
bool believes[N];      /* it told its client "yours", and nothing else since */
byte asked;            /* of WRITES */
bool past_bound;       /* a region had no place left to claim again: look no further */

bool null[TXNS];       /* a release */
byte generation[TXNS];
byte stamp[TXNS];
bool created[TXNS];    /* the writer held no cell */
byte deps[TXNS * N];   /* the writer's applied cut when it wrote */

hidden byte x, y, before, old; /* of one step */
hidden byte gone, robbed, unseated, deaf, unlike, two_owners;

#define APPLIED(r, o) applied[(r) * N + (o)]
#define DEPS(t, o) deps[(t) * N + (o)]
#define SAW(t, c) (ORIGIN(t) == ORIGIN(c) && SEQ(c) < SEQ(t) || \
                   ORIGIN(t) != ORIGIN(c) && SEQ(c) <= DEPS(t, ORIGIN(c)))
#define SHOWS(r) (held[r] != 0 && !null[held[r]])

/* the order of cells: generation, null lowest, of claims the smaller version, of nulls the larger */
#ifdef LATER_CLAIM_WINS
#define EARLIER(a, b) LATER_VERSION(a, b)
#else
#define EARLIER(a, b) LATER_VERSION(b, a)
#endif
#define LATER_VERSION(a, b) (stamp[a] > stamp[b] || stamp[a] == stamp[b] && ORIGIN(a) > ORIGIN(b))
#define ABOVE(a, b) (generation[a] > generation[b] || generation[a] == generation[b] && \
                     (!null[a] && null[b] || null[a] == null[b] && \
                      (!null[a] && EARLIER(a, b) || null[a] && LATER_VERSION(a, b))))

/* What r can know of s at best: what s had applied when it wrote the first txn that r lacks, or what
 * it has now. Any beat of s that counts says at most this. */
#define NEXT(r, s) TXN(s, APPLIED(r, s) + 1)
#define KNOWN(r, s, o) (own[s] > APPLIED(r, s) -> DEPS(NEXT(r, s), o) : APPLIED(s, o))
#if defined(CONFIRM_AT_ONCE)
#define COUNTED(r, s, c) true
#elif defined(CONFIRM_BY_CLOCK) /* everyone is past the claim's stamp */
#define COUNTED(r, s, c) ((own[s] > APPLIED(r, s) -> \
  (APPLIED(r, s) == 0 -> 0 : stamp[TXN(s, APPLIED(r, s))]) : clock[s]) > stamp[c])
#elif defined(BEAT_OUTRUNS_LOG) /* a beat counts though what was written before it is not applied */
#define COUNTED(r, s, c) (APPLIED(s, ORIGIN(c)) >= SEQ(c))
#elif defined(SILENT_NOT_COUNTED) /* who was never heard of needs not have it */
#define COUNTED(r, s, c) (APPLIED(r, s) == 0 || KNOWN(r, s, ORIGIN(c)) >= SEQ(c))
#else
#define COUNTED(r, s, c) (KNOWN(r, s, ORIGIN(c)) >= SEQ(c))
#endif
#define HAS(r, s, c) ((s) == (r) || (s) == ORIGIN(c) || COUNTED(r, s, c))
#define STABLE(r, c) (HAS(r, 0, c) && HAS(r, 1, c) && HAS(r, 2, c))
#define CONFIRMED(r) (SHOWS(r) && STABLE(r, held[r]))

inline put(r, is_null, leap) {
  own[r]++;
  x = TXN(r, own[r]);
  clock[r] = clock[r] + leap;
  stamp[x] = clock[r];
  null[x] = is_null;
  created[x] = (held[r] == 0);
  generation[x] = (held[r] == 0 -> 0 : generation[held[r]] + (is_null -> 1 : 0));
  DEPS(x, 0) = APPLIED(r, 0);
  DEPS(x, 1) = APPLIED(r, 1);
  DEPS(x, 2) = APPLIED(r, 2);
  APPLIED(r, r) = own[r];
  held[r] = x;
  believes[r] = !is_null
}

/* One txn of o. A claim that gives way to a rival is told to be lost; one that gives way to a release
 * which had not seen it is made again in the same commit; seen, it was its owner's own release. */
inline apply(r, o) {
  gone = CONFIRMED(r);
  before = held[r];
  APPLIED(r, o) = APPLIED(r, o) + 1;
  x = TXN(o, APPLIED(r, o));
  if
  :: clock[r] < stamp[x] -> clock[r] = stamp[x]
  :: else
  fi;
  old = before;
  if
#ifndef MARK_IGNORED
  :: created[x] && before != 0 && SAW(x, before) -> old = 0; unseated = unseated || !null[before]
#endif
  :: else
  fi;
  if
  :: old == 0 || ABOVE(x, old) -> held[r] = x
  :: else
  fi;
  if
  :: held[r] == x && before != 0 && !null[before] && OWNER(ORIGIN(before)) != OWNER(o) ->
     robbed = robbed || null[x] && SAW(x, before);
     unseated = unseated || gone;
     if
     :: ORIGIN(before) == r && !null[x] -> believes[r] = false /* lost, and told so */
     :: else
     fi
  :: held[r] == x && before != 0 && !null[before] && OWNER(ORIGIN(before)) == OWNER(o) && null[x] ->
     unseated = unseated || gone && !SAW(x, before)
  :: else
  fi;
#ifndef NOT_CLAIMED_AGAIN
  if
  :: held[r] == x && null[x] && before != 0 && !null[before] && ORIGIN(before) == r && !SAW(x, before) ->
     if
     :: own[r] < LOG -> put(r, false, 1)
     :: else -> past_bound = true
     fi
  :: else
  fi;
#endif
}

#define ALIKE(r, s) (APPLIED(r, 0) == APPLIED(s, 0) && APPLIED(r, 1) == APPLIED(s, 1) && \
                     APPLIED(r, 2) == APPLIED(s, 2))
#define SAME(r, s) (SHOWS(r) == SHOWS(s) && (!SHOWS(r) || held[r] == held[s]))
#define RIVALS(r, s) (CONFIRMED(r) && CONFIRMED(s) && OWNER(ORIGIN(held[r])) != OWNER(ORIGIN(held[s])))
#define MISLED(r) (believes[r] && (!SHOWS(r) || OWNER(ORIGIN(held[r])) != OWNER(r)))

/* What must hold after every step. */
inline judge() {
  two_owners = RIVALS(0, 1) || RIVALS(0, 2) || RIVALS(1, 2);
  unlike = (ALIKE(0, 1) && !SAME(0, 1)) || (ALIKE(0, 2) && !SAME(0, 2)) || (ALIKE(1, 2) && !SAME(1, 2));
  deaf = ALIKE(0, 1) && ALIKE(1, 2) && (MISLED(0) || MISLED(1) || MISLED(2));
  if
  :: past_bound
  :: else ->
     assert(!two_owners);  /* never two confirmed owners */
     assert(!unseated);    /* confirmed is never lost, unless its owner gives it back */
     assert(!robbed);      /* nobody gives back what is another's */
#ifndef ONE_OWNER_IN_TWO   /* README.md */
     assert(!deaf);        /* all applied everywhere: who was not told otherwise is the one owner */
#endif
     assert(!unlike)       /* the same cut shows the same owner */
  fi;
  robbed = false;
  unseated = false /* hidden: not part of a state, so not undone when spin goes back */
}

#define CAUSAL(r, o) (own[o] > APPLIED(r, o) && DEPS(NEXT(r, o), 0) <= APPLIED(r, 0) && \
                      DEPS(NEXT(r, o), 1) <= APPLIED(r, 1) && DEPS(NEXT(r, o), 2) <= APPLIED(r, 2))
#define MAY_WRITE(r) (asked < WRITES && own[r] < LOG && !past_bound)
#ifdef RIVAL_RELEASES
#define MAY_RELEASE(r) SHOWS(r)
#else
#define MAY_RELEASE(r) (SHOWS(r) && OWNER(ORIGIN(held[r])) == OWNER(r))
#endif
#ifdef DROP_BEFORE_STABLE
#define MAY_DROP(r) (held[r] != 0 && null[held[r]])
#else
#define MAY_DROP(r) (held[r] != 0 && null[held[r]] && STABLE(r, held[r]))
#endif

proctype Region(byte r) {
end:
  do
  :: d_step { MAY_WRITE(r) && !SHOWS(r) -> asked++; put(r, false, 1); judge() }
#if LEAP > 1
  :: d_step { MAY_WRITE(r) && !SHOWS(r) -> asked++; put(r, false, LEAP); judge() }
#endif
  :: d_step { MAY_WRITE(r) && MAY_RELEASE(r) -> asked++; put(r, true, 1); judge() }
  :: d_step { !past_bound && CAUSAL(r, (r + 1) % N) -> y = (r + 1) % N; apply(r, y); judge() }
  :: d_step { !past_bound && CAUSAL(r, (r + 2) % N) -> y = (r + 2) % N; apply(r, y); judge() }
  :: d_step { !past_bound && MAY_DROP(r) -> held[r] = 0; judge() } /* a dead cell, forgotten */
  od
}

init { atomic { run Region(0); run Region(1); run Region(2) } }
