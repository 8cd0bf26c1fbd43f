/* Streams, events, launches and graphs. */
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <vector>

#include <stdlib.h>

#include "runtime.h"

namespace hostgpu {

std::recursive_mutex lock;

struct Stream;

struct Event {
    uint64_t recorded = 0, reached = 0; /* how many times */
    Stream *on = nullptr;
};

/* One entry of a stream's queue: work, or an event to reach or to wait for. */
struct Entry {
    std::function<void()> work;
    std::shared_ptr<Event> reach, await;
    uint64_t count;
};

struct Graph {
    std::vector<std::function<void()>> work;
    bool broken = false; /* something that cannot be recorded was asked for meanwhile */
};

struct Stream {
    std::deque<Entry> queue;
    Graph *capture = nullptr;
};

static Stream default_stream;
static std::set<Stream *> streams = {&default_stream};
static std::map<cudaEvent_t, std::shared_ptr<Event>> events;
static std::map<const void *, size_t> shared_limits;

static Stream *stream_of(cudaStream_t s) { return s ? (Stream *)s : &default_stream; }

bool is_lazy() {
    static const bool lazy = getenv("HOSTGPU_LAZY") != nullptr;
    return lazy;
}

/* Runs a stream's queue, up to where event has been reached count times, if one is given. */
static void drain(Stream *s, const Event *event = nullptr, uint64_t count = 0) {
    while (!s->queue.empty() && !(event && event->reached >= count)) {
        Entry e = s->queue.front();
        s->queue.pop_front();
        if (e.await && e.await->reached < e.count && streams.count(e.await->on)) {
            drain(e.await->on, e.await.get(), e.count);
        }
        if (e.reach) {
            e.reach->reached = e.count;
        }
        if (e.work) {
            e.work();
        }
    }
}

void drain_all() {
    for (Stream *s : streams) {
        drain(s);
    }
}

/* While a stream records, waiting for it, or for all, breaks the recording. */
static cudaError_t refuse(Stream *s) {
    s->capture->broken = true;
    return fail(cudaErrorStreamCaptureUnsupported);
}

static Stream *recording_stream() {
    for (Stream *s : streams) {
        if (s->capture) {
            return s;
        }
    }
    return nullptr;
}

cudaError_t break_capture(cudaStream_t stream) {
    Stream *s = stream_of(stream);
    return s->capture ? refuse(s) : cudaSuccess;
}

static void add(Stream *s, Entry e) {
    if (s->capture) {
        return; /* events within one stream order nothing more */
    }
    s->queue.push_back(e);
    if (!is_lazy()) {
        drain(s);
    }
}

cudaError_t enqueue(cudaStream_t stream, std::function<void()> work) {
    Guard guard(lock);
    Stream *s = stream_of(stream);
    if (s->capture) {
        s->capture->work.push_back(work);
    } else {
        add(s, Entry{work, nullptr, nullptr, 0});
    }
    return sticky_error;
}

static bool is_valid(dim3 grid, dim3 block) {
    uint64_t threads = (uint64_t)block.x * block.y * block.z;
    return grid.x > 0 && grid.x <= 0x7fffffffu && grid.y > 0 && grid.y <= 65535 && grid.z > 0 &&
           grid.z <= 65535 && threads > 0 && threads <= 1024 && block.z <= 64;
}

cudaError_t launch(const char *name, dim3 grid, dim3 block, size_t shared, cudaStream_t stream,
                   const void *kernel, std::function<void()> body) {
    Guard guard(lock);
    const size_t usual = 48 << 10;
    auto limit = shared_limits.find(kernel);
    if (!is_valid(grid, block)) {
        return fail(cudaErrorInvalidConfiguration);
    }
    if (shared > (limit == shared_limits.end() ? usual : limit->second)) {
        return fail(cudaErrorInvalidValue);
    }
    return enqueue(stream, [=]() { run_grid(name, grid, block, shared, body); });
}

static std::shared_ptr<Event> event_of(cudaEvent_t e) { return events.at(e); }

} // namespace hostgpu

using namespace hostgpu;

extern "C" {

cudaError_t cudaStreamCreateWithFlags(cudaStream_t *s, unsigned) {
    Guard guard(lock);
    Stream *fresh = new Stream;
    streams.insert(fresh);
    *s = (cudaStream_t)fresh;
    return cudaSuccess;
}

cudaError_t cudaStreamCreateWithPriority(cudaStream_t *s, unsigned flags, int) {
    return cudaStreamCreateWithFlags(s, flags);
}

cudaError_t cudaDeviceGetStreamPriorityRange(int *least, int *greatest) {
    *least = 0;
    *greatest = -5;
    return cudaSuccess;
}

cudaError_t cudaStreamDestroy(cudaStream_t s) {
    Guard guard(lock);
    drain(stream_of(s));
    streams.erase(stream_of(s));
    delete stream_of(s);
    return cudaSuccess;
}

cudaError_t cudaStreamSynchronize(cudaStream_t s) {
    Guard guard(lock);
    if (stream_of(s)->capture) {
        return refuse(stream_of(s));
    }
    drain(stream_of(s));
    return sticky_error;
}

cudaError_t cudaStreamQuery(cudaStream_t s) {
    Guard guard(lock);
    if (stream_of(s)->capture) {
        return refuse(stream_of(s));
    }
    return stream_of(s)->queue.empty() ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaDeviceSynchronize(void) {
    Guard guard(lock);
    if (recording_stream()) {
        return refuse(recording_stream());
    }
    drain_all();
    return sticky_error;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t *e, unsigned) {
    Guard guard(lock);
    std::shared_ptr<Event> fresh = std::make_shared<Event>();
    *e = (cudaEvent_t)fresh.get();
    events[*e] = fresh;
    return cudaSuccess;
}

cudaError_t cudaEventDestroy(cudaEvent_t e) {
    Guard guard(lock);
    events.erase(e);
    return cudaSuccess;
}

cudaError_t cudaEventRecord(cudaEvent_t e, cudaStream_t s) {
    Guard guard(lock);
    std::shared_ptr<Event> event = event_of(e);
    event->on = stream_of(s);
    event->recorded++;
    add(event->on, Entry{nullptr, event, nullptr, event->recorded});
    return cudaSuccess;
}

cudaError_t cudaStreamWaitEvent(cudaStream_t s, cudaEvent_t e, unsigned) {
    Guard guard(lock);
    std::shared_ptr<Event> event = event_of(e);
    add(stream_of(s), Entry{nullptr, nullptr, event, event->recorded});
    return cudaSuccess;
}

cudaError_t cudaEventSynchronize(cudaEvent_t e) {
    Guard guard(lock);
    std::shared_ptr<Event> event = event_of(e);
    if (event->on && streams.count(event->on)) {
        drain(event->on, event.get(), event->recorded);
    }
    return sticky_error;
}

cudaError_t cudaEventQuery(cudaEvent_t e) {
    Guard guard(lock);
    std::shared_ptr<Event> event = event_of(e);
    return event->reached >= event->recorded ? cudaSuccess : cudaErrorNotReady;
}

cudaError_t cudaEventElapsedTime(float *milliseconds, cudaEvent_t from, cudaEvent_t to) {
    Guard guard(lock);
    if (event_of(from)->recorded == 0 || event_of(to)->recorded == 0) {
        return fail(cudaErrorInvalidResourceHandle);
    }
    *milliseconds = 0.5f; /* no clock runs here */
    return cudaSuccess;
}

cudaError_t cudaStreamBeginCapture(cudaStream_t s, cudaStreamCaptureMode) {
    Guard guard(lock);
    drain(stream_of(s));
    stream_of(s)->capture = new Graph;
    return cudaSuccess;
}

cudaError_t cudaStreamEndCapture(cudaStream_t s, cudaGraph_t *graph) {
    Guard guard(lock);
    Graph *recorded = stream_of(s)->capture;
    stream_of(s)->capture = nullptr;
    if (!recorded || recorded->broken) {
        *graph = nullptr;
        delete recorded;
        return fail(cudaErrorStreamCaptureInvalidated);
    }
    *graph = (cudaGraph_t)recorded;
    return cudaSuccess;
}

cudaError_t cudaGraphGetNodes(cudaGraph_t graph, cudaGraphNode_t *nodes, size_t *n) {
    if (nodes) {
        return fail(cudaErrorInvalidValue);
    }
    *n = ((Graph *)graph)->work.size();
    return cudaSuccess;
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t *exec, cudaGraph_t graph, unsigned long long) {
    *exec = (cudaGraphExec_t) new Graph(*(Graph *)graph);
    return cudaSuccess;
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t exec, cudaStream_t s) {
    for (const auto &work : ((Graph *)exec)->work) {
        enqueue(s, work);
    }
    return cudaSuccess;
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
    delete (Graph *)graph;
    return cudaSuccess;
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t exec) {
    delete (Graph *)exec;
    return cudaSuccess;
}

cudaError_t cudaFuncSetAttribute(const void *kernel, cudaFuncAttribute attribute, int value) {
    Guard guard(lock);
    const int most = 227 << 10;
    if (attribute == cudaFuncAttributeMaxDynamicSharedMemorySize) {
        if (value > most) {
            return fail(cudaErrorInvalidValue);
        }
        shared_limits[kernel] = (size_t)value;
    }
    return cudaSuccess;
}

} // extern "C"
