/* Runs a kernel: the threads of a block as fibers, their barriers and their warp operations. */
#include <stdio.h>
#include <stdlib.h>

#include <algorithm>
#include <map>
#include <vector>

#include "fiber.h"
#include "runtime.h"

namespace hostgpu {

Thread *current;

enum State { FRESH, READY, AT_BARRIER, AT_WARP_OP, ENDED };

struct Runner {
    Thread thread;
    Fiber fiber;
    State state;
    const Site *at;
    bool synced;      /* it has met a barrier */
    unsigned turn[2]; /* of its next barrier, and of its next warp operation: 0 or 1 */
    unsigned met;     /* the turns of those it met in a warp operation, a bit for each */
    /* What it waits with. */
    unsigned mask;
    WarpOp op;
    uint64_t value;
    int argument, width;
};

static std::vector<Runner> runners; /* of the block that runs */
static Runner *running;
static int alive;
static const std::function<void()> *kernel_body;
static const char *kernel_name;
static unsigned char *shared_memory;
static int votes[3];

/* What ThreadSanitizer orders the steps of a kernel by: the launch, its end, the reuse of shared
 * memory by the next block, barriers, warp operations. The last two take turns: a thread may stand
 * at its next barrier already while another has yet to leave this one, and must not be taken for
 * ordered before that. */
static char launched, finished, reused, fenced, met[2], warps_met[32][2];
enum { AT_BLOCK, AT_WARP };

/* ---- The order of threads. */

static uint64_t random_state = 0x9E3779B97F4A7C15ull;

uint64_t random_bits() {
    random_state ^= random_state << 13;
    random_state ^= random_state >> 7;
    random_state ^= random_state << 17;
    return random_state;
}

static Order read_order() {
    const char *text = getenv("HOSTGPU_ORDER");
    if (!text || strcmp(text, "forward") == 0) {
        return FORWARD;
    }
    if (strcmp(text, "reverse") == 0) {
        return REVERSE;
    }
    if (strncmp(text, "random:", 7) == 0) {
        random_state ^= strtoull(text + 7, nullptr, 10) * 0xD1342543DE82EF95ull;
        return RANDOM;
    }
    fprintf(stderr, "hostgpu: HOSTGPU_ORDER must be forward, reverse or random:SEED\n");
    abort();
}

Order thread_order() {
    static const Order order = read_order();
    return order;
}

/* ---- What goes wrong. */

static void explain(const char *what) {
    fprintf(stderr, "hostgpu: kernel of %s: %s\n", kernel_name, what);
    std::map<std::pair<State, const Site *>, int> counts;
    for (const Runner &r : runners) {
        bool waits = r.state == AT_BARRIER || r.state == AT_WARP_OP;
        counts[{r.state, waits ? r.at : nullptr}]++;
    }
    for (const auto &entry : counts) {
        const Site *site = entry.first.second;
        if (site) {
            const char *kind = entry.first.first == AT_BARRIER ? "a barrier" : "a warp operation";
            fprintf(stderr, "  %d threads wait at %s, %s:%d\n", entry.second, kind, site->file,
                    site->line);
        } else if (entry.first.first == ENDED) {
            fprintf(stderr, "  %d threads have ended\n", entry.second);
        }
    }
    sticky_error = fail(cudaErrorLaunchFailure);
}

/* ---- What threads call. */

static void leave(State state) {
    running->state = state;
    fiber_leave(&running->fiber, state == ENDED);
}

void barrier(const Site *site) {
    running->at = site;
    running->synced = true;
    Runner *self = running;
    char *token = &met[self->turn[AT_BLOCK]];
    self->turn[AT_BLOCK] ^= 1;
    HOSTGPU_RELEASE(token);
    leave(AT_BARRIER);
    HOSTGPU_ACQUIRE(token);
}

int barrier_vote(const Site *site, bool value, Vote vote) {
    running->value = value;
    barrier(site);
    return votes[vote];
}

uint64_t warp(const Site *site, unsigned mask, WarpOp op, uint64_t value, int argument, int width) {
    Runner *self = running;
    char *tokens = warps_met[self->thread.linear >> 5];
    self->at = site;
    if (!(mask >> (self->thread.linear & 31) & 1)) {
        explain("a thread takes part in a warp operation whose mask does not name it");
    }
    self->mask = mask;
    self->op = op;
    self->value = value;
    self->argument = argument;
    self->width = width;
    HOSTGPU_RELEASE(&tokens[self->turn[AT_WARP]]);
    leave(AT_WARP_OP);
    for (int turn = 0; turn < 2; turn++) {
        if (self->met >> turn & 1) {
            HOSTGPU_ACQUIRE(&tokens[turn]);
        }
    }
    return self->value;
}

void may_yield() {
    if (running && thread_order() == RANDOM && runners.size() > 1 && random_bits() % 8 == 0) {
        leave(READY);
    }
}

void fence() {
    HOSTGPU_RELEASE(&fenced);
    HOSTGPU_ACQUIRE(&fenced);
}

void *dynamic_shared() { return shared_memory; }

/* ---- Warp operations. */

static int warp_lanes(size_t first) { return (int)std::min<size_t>(32, runners.size() - first); }

/* Whether all lanes that the mask of r names wait at r's operation. Lanes that have ended are
 * missed, but for __syncwarp; lanes beyond the block's end are not where the mask is full. */
static bool is_complete(size_t first, const Runner &r) {
    int n = warp_lanes(first);
    for (int lane = 0; lane < 32; lane++) {
        if (!(r.mask >> lane & 1)) {
            continue;
        }
        if (lane >= n) {
            if (r.mask != 0xffffffffu) {
                return false;
            }
            continue;
        }
        const Runner &other = runners[first + (size_t)lane];
        if (other.state == ENDED && r.op == SYNC) {
            continue;
        }
        if (other.state != AT_WARP_OP || other.mask != r.mask || other.op != r.op ||
            other.at != r.at) {
            return false;
        }
    }
    return true;
}

/* The lane that a shuffle reads. */
static int source_lane(const Runner &r, int lane) {
    int first = lane & ~(r.width - 1), end = first + r.width;
    switch (r.op) {
    case SHUFFLE_INDEX: return first + (r.argument & (r.width - 1));
    case SHUFFLE_UP: return lane - r.argument < first ? lane : lane - r.argument;
    case SHUFFLE_DOWN: return lane + r.argument >= end ? lane : lane + r.argument;
    default: return (lane ^ r.argument) >= end ? lane : lane ^ r.argument;
    }
}

static unsigned lanes_where(size_t first, unsigned mask,
                            const std::function<bool(const Runner &)> &f) {
    unsigned lanes = 0;
    for (int lane = 0; lane < warp_lanes(first); lane++) {
        const Runner &r = runners[first + (size_t)lane];
        if ((mask >> lane & 1) && r.state == AT_WARP_OP && f(r)) {
            lanes |= 1u << lane;
        }
    }
    return lanes;
}

/* What lane gets; values of lanes that take no part are undefined, and poisoned here. */
static uint64_t warp_result(size_t first, int lane) {
    const Runner &r = runners[first + (size_t)lane];
    switch (r.op) {
    case BALLOT: return lanes_where(first, r.mask, [](const Runner &o) { return o.value != 0; });
    case MATCH:
        return lanes_where(first, r.mask, [&](const Runner &o) { return o.value == r.value; });
    case SYNC: return 0;
    default: break;
    }
    int source = source_lane(r, lane);
    bool defined = source < warp_lanes(first) && (r.mask >> source & 1);
    return defined ? runners[first + (size_t)source].value : ~(uint64_t)0;
}

/* Lets the lanes of a complete operation go on; false: there is none in this warp. */
static bool finish_warp_op(size_t first) {
    int n = warp_lanes(first);
    for (int leader = 0; leader < n; leader++) {
        const Runner &r = runners[first + (size_t)leader];
        if (r.state != AT_WARP_OP || !is_complete(first, r)) {
            continue;
        }
        unsigned mask = r.mask;
        unsigned turns = 0;
        uint64_t results[32];
        for (int lane = 0; lane < n; lane++) {
            results[lane] = mask >> lane & 1 ? warp_result(first, lane) : 0;
            turns |= mask >> lane & 1 ? 1u << runners[first + (size_t)lane].turn[AT_WARP] : 0;
        }
        for (int lane = 0; lane < n; lane++) {
            Runner &o = runners[first + (size_t)lane];
            if ((mask >> lane & 1) && o.state == AT_WARP_OP) {
                o.value = results[lane];
                o.met = turns;
                o.turn[AT_WARP] ^= 1;
                o.state = READY;
            }
        }
        return true;
    }
    return false;
}

/* ---- Blocks. */

static void thread_main() {
    fiber_entered();
    HOSTGPU_ACQUIRE(&launched);
    HOSTGPU_ACQUIRE(&reused);
    (*kernel_body)();
    HOSTGPU_RELEASE(&finished);
    if (running->synced) {
        HOSTGPU_RELEASE(&reused);
    }
    alive--;
    leave(ENDED);
    abort();
}

static void run_thread(Runner *r) {
    if (r->state == FRESH) {
        fiber_start(&r->fiber, thread_main, runners.size());
    }
    r->state = READY;
    running = r;
    current = &r->thread;
    fiber_resume(&r->fiber);
    running = nullptr;
    if (r->state == ENDED) {
        fiber_drop(&r->fiber);
    }
}

/* Lets all go on if every thread that is alive waits at one barrier. */
static bool finish_barrier() {
    const Site *site = nullptr;
    int waiting = 0;
    votes[VOTE_COUNT] = votes[VOTE_OR] = 0;
    votes[VOTE_AND] = 1;
    for (const Runner &r : runners) {
        if (r.state != AT_BARRIER) {
            continue;
        }
        if (site && site != r.at) {
            explain("the threads of a block wait at different barriers");
            return false;
        }
        site = r.at;
        waiting++;
        votes[VOTE_COUNT] += r.value != 0;
        votes[VOTE_AND] &= r.value != 0;
        votes[VOTE_OR] |= r.value != 0;
    }
    if (waiting == 0 || waiting < alive) {
        return false;
    }
    for (Runner &r : runners) {
        if (r.state == AT_BARRIER) {
            r.state = READY;
        }
    }
    return true;
}

static void set_up_block(dim3 grid, dim3 block, uint3 index, std::vector<Runner *> *order) {
    size_t n = (size_t)block.x * block.y * block.z;
    runners.resize(n);
    order->clear();
    alive = (int)n;
    for (size_t i = 0; i < n; i++) {
        unsigned k = (unsigned)i;
        Runner *r = &runners[i];
        *r = Runner();
        r->fiber.stack = -1;
        r->thread.linear = (int)i;
        r->thread.index = make_uint3(k % block.x, k / block.x % block.y, k / (block.x * block.y));
        r->thread.block = index;
        r->thread.block_size = block;
        r->thread.grid_size = grid;
        order->push_back(r);
    }
    if (thread_order() == REVERSE) {
        std::reverse(order->begin(), order->end());
    }
    for (size_t i = n - 1; thread_order() == RANDOM && i > 0; i--) {
        std::swap((*order)[i], (*order)[random_bits() % (i + 1)]);
    }
}

static void run_block(const std::vector<Runner *> &order) {
    while (alive > 0) {
        bool moved = false;
        for (Runner *r : order) {
            if (r->state == FRESH || r->state == READY) {
                run_thread(r);
                moved = true;
                if (sticky_error) {
                    return;
                }
            }
        }
        for (size_t first = 0; first < runners.size(); first += 32) {
            moved |= finish_warp_op(first);
        }
        moved |= finish_barrier();
        if (sticky_error) {
            return;
        }
        if (!moved && alive > 0) {
            explain("deadlock");
            return;
        }
    }
}

static unsigned char *shared_new(size_t bytes) {
    size_t whole = (bytes + 255) / 256 * 256;
    unsigned char *p = bytes ? (unsigned char *)aligned_alloc(256, whole) : nullptr;
    if (p) {
        HOSTGPU_POISON(p + bytes, whole - bytes);
    }
    return p;
}

static void shared_free(unsigned char *p, size_t bytes) {
    if (p) {
        HOSTGPU_UNPOISON(p, (bytes + 255) / 256 * 256);
        free(p);
    }
}

void run_grid(const char *name, dim3 grid, dim3 block, size_t shared,
              const std::function<void()> &body) {
    if (sticky_error) {
        return;
    }
    kernel_name = name;
    kernel_body = &body;
    shared_memory = shared_new(shared);
    std::vector<Runner *> order;
    HOSTGPU_RELEASE(&launched);
    size_t n = (size_t)grid.x * grid.y * grid.z;
    for (size_t i = 0; i < n && !sticky_error; i++) {
        size_t k = thread_order() == REVERSE ? n - 1 - i : i;
        size_t plane = (size_t)grid.x * grid.y;
        set_up_block(grid, block,
                     make_uint3((unsigned)(k % grid.x), (unsigned)(k / grid.x % grid.y),
                                (unsigned)(k / plane)),
                     &order);
        HOSTGPU_ACQUIRE(&reused);
        if (shared) {
            memset(shared_memory, 0xFF, shared);
        }
        HOSTGPU_RELEASE(&reused);
        run_block(order);
    }
    HOSTGPU_ACQUIRE(&finished);
    for (Runner &r : runners) {
        fiber_drop(&r.fiber);
    }
    shared_free(shared_memory, shared);
    shared_memory = nullptr;
    current = nullptr;
}

} // namespace hostgpu
