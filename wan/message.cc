#include "wan/message.h"

namespace hawser {

Cut Report::cut() const {
  Cut cut;
  for (const BeatLog& log : applied) {
    if (log.seq != Seq{0}) cut.Raise({log.origin, log.seq});
  }
  return cut;
}

}  // namespace hawser
