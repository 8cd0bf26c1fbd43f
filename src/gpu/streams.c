/* Streams and events, as tocha.cuda shows them. */
#include "gpu/graph.h"

static void *stream_new(Device d, bool high_priority) {
    cudaStream_t stream;
    int least, greatest;
    if (!gpu_enter(d) || !gpu_ok(cudaDeviceGetStreamPriorityRange(&least, &greatest), "Stream") ||
        !gpu_ok(cudaStreamCreateWithPriority(&stream, cudaStreamNonBlocking,
                                             high_priority ? greatest : least),
                "Stream")) {
        return NULL;
    }
    return stream;
}

static void stream_free(Device d, void *stream) {
    if (gpu_enter(d)) {
        cudaStreamSynchronize((cudaStream_t)stream);
        gpu_memory_forget(d, (cudaStream_t)stream);
        cudaStreamDestroy((cudaStream_t)stream);
    }
}

static void *stream_current(Device d) { return gpu_enter(d) ? gpu_stream(d) : NULL; }

static void stream_use(Device d, void *stream) { gpu_stream_use(d, (cudaStream_t)stream); }

static bool stream_synchronize(Device d, void *stream) {
    return gpu_may_wait(d) && gpu_enter(d) &&
           gpu_ok(cudaStreamSynchronize((cudaStream_t)stream), "Stream:synchronize") &&
           gpu_report_fault(d);
}

/* True for an answer, of which *done is the content; cudaErrorNotReady is none of the errors. */
static bool answered(cudaError_t error, bool *done, const char *what) {
    *done = error == cudaSuccess;
    return error == cudaErrorNotReady || gpu_ok(error, what);
}

static bool stream_query(Device d, void *stream, bool *done) {
    return gpu_enter(d) && answered(cudaStreamQuery((cudaStream_t)stream), done, "Stream:query");
}

static bool stream_uses(Device d, void *stream, void *data) {
    return gpu_uses(d, data, (cudaStream_t)stream);
}

static void *event_new(Device d, bool timing) {
    cudaEvent_t event;
    unsigned flags = timing ? cudaEventDefault : cudaEventDisableTiming;
    return gpu_enter(d) && gpu_ok(cudaEventCreateWithFlags(&event, flags), "Event") ? event : NULL;
}

static void event_free(Device d, void *event) {
    if (gpu_enter(d)) {
        cudaEventDestroy((cudaEvent_t)event);
    }
}

static bool event_record(Device d, void *event, void *stream) {
    return gpu_enter(d) &&
           gpu_ok(cudaEventRecord((cudaEvent_t)event, (cudaStream_t)stream), "Event:record");
}

static bool event_wait(Device d, void *event, void *stream) {
    return gpu_enter(d) &&
           gpu_ok(cudaStreamWaitEvent((cudaStream_t)stream, (cudaEvent_t)event, 0), "Event:wait");
}

static bool event_synchronize(Device d, void *event) {
    return gpu_may_wait(d) && gpu_enter(d) &&
           gpu_ok(cudaEventSynchronize((cudaEvent_t)event), "Event:synchronize");
}

static bool event_query(Device d, void *event, bool *done) {
    return gpu_enter(d) && answered(cudaEventQuery((cudaEvent_t)event), done, "Event:query");
}

static bool event_elapsed(Device d, void *from, void *to, double *milliseconds) {
    float ms;
    if (!gpu_enter(d) || !gpu_ok(cudaEventElapsedTime(&ms, (cudaEvent_t)from, (cudaEvent_t)to),
                                 "Event:elapsed_time")) {
        return false;
    }
    *milliseconds = ms;
    return true;
}

const BackendStreams gpu_streams = {.stream_new = stream_new,
                                    .stream_free = stream_free,
                                    .stream_current = stream_current,
                                    .stream_use = stream_use,
                                    .stream_synchronize = stream_synchronize,
                                    .stream_query = stream_query,
                                    .stream_uses = stream_uses,
                                    .event_new = event_new,
                                    .event_free = event_free,
                                    .event_record = event_record,
                                    .event_wait = event_wait,
                                    .event_synchronize = event_synchronize,
                                    .event_query = event_query,
                                    .event_elapsed = event_elapsed};
