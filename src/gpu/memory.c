/* The caching allocator of device memory: public side, statistics, and what happens when memory is
 * short. How blocks are found, cut and joined is in heap.c. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "gpu/heap.h"

static Heap heaps[GPU_DEVICES];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start(void) {
    const char *nocache = getenv("TOCHA_GPU_NOCACHE");
    for (int i = 0; i < GPU_DEVICES; i++) {
        pthread_mutex_init(&heaps[i].lock, NULL);
        heaps[i].no_cache = nocache && strcmp(nocache, "1") == 0;
    }
}

/* The heap of a device that is entered for that; NULL: it could not be. */
static Heap *heap_lock(Device d) {
    pthread_once(&once, start);
    if (!gpu_enter(d)) {
        return NULL;
    }
    Heap *h = &heaps[d.index];
    pthread_mutex_lock(&h->lock);
    return h;
}

static void heap_unlock(Heap *h) { pthread_mutex_unlock(&h->lock); }

/* "12.5 MiB" into text. */
static const char *size_text(uint64_t bytes, char text[32]) {
    static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
    double amount = (double)bytes;
    int unit = 0;
    while (amount >= 1024 && unit < 4) {
        amount /= 1024;
        unit++;
    }
    snprintf(text, 32, unit ? "%.1f %s" : "%.0f %s", amount, units[unit]);
    return text;
}

static void fail_short(Device d, const Heap *h, size_t bytes) {
    char asked[32], live[32], cached[32], largest[32], bound[32];
    size_t available = 0, total = 0;
    cudaMemGetInfo(&available, &total);
    cudaGetLastError();
    fail_kind(ERR_MEMORY,
              "out of memory: %s are needed on %s:%d, where %s are live and %s cached (largest "
              "block %s); %s %s",
              size_text(bytes, asked), "cuda", d.index, size_text(h->live, live),
              size_text(h->reserved - h->live, cached), size_text(heap_largest(h), largest),
              h->limit ? "the limit is" : "free on the device:",
              size_text(h->limit ? h->limit : available, bound));
}

/* Memory is short: what other streams still use is waited for, then what is cached goes back. */
static Block *find_harder(Heap *h, size_t size, cudaStream_t stream) {
    heap_poll(h, true);
    Block *b = heap_take(h, size, stream);
    if (!b && !h->out_of_records) {
        heap_trim(h, 0);
        b = heap_extend(h, size, stream);
    }
    return b;
}

void *gpu_alloc(Device d, size_t bytes) {
    if (bytes > SIZE_MAX / 2) {
        fail_kind(ERR_MEMORY, "out of memory: %zu bytes", bytes);
        return NULL;
    }
    if (mem_refused(bytes)) {
        return NULL;
    }
    Heap *h = heap_lock(d);
    if (!h) {
        return NULL;
    }
    size_t size = heap_round(bytes);
    cudaStream_t stream = gpu_stream(d);
    h->out_of_records = false;
    Block *b = heap_take(h, size, stream);
    if (!b && !h->out_of_records) {
        b = heap_extend(h, size, stream);
    }
    if (!b && !h->out_of_records) {
        b = find_harder(h, size, stream);
    }
    if (b && !heap_hand_out(h, b)) {
        heap_give_back(h, b);
        b = NULL;
    } else if (!b) {
        fail_short(d, h, bytes);
    }
    void *p = b ? b->p : NULL;
    heap_unlock(h);
    return p;
}

void gpu_release(Device d, void *p, size_t bytes) {
    (void)bytes;
    Heap *h = heap_lock(d);
    if (h) {
        heap_take_back(h, p);
        heap_unlock(h);
    }
}

bool gpu_uses(Device d, void *p, cudaStream_t stream) {
    Heap *h = heap_lock(d);
    if (!h) {
        return false;
    }
    bool ok = heap_uses(h, p, stream);
    heap_unlock(h);
    return ok;
}

void gpu_memory_forget(Device d, cudaStream_t stream) {
    Heap *h = heap_lock(d);
    if (h) {
        heap_forget(h, stream);
        heap_unlock(h);
    }
}

bool gpu_memory_reserve(Device d, cudaStream_t stream) {
    Heap *h = heap_lock(d);
    bool ok = h && heap_reserve(h, stream);
    if (h) {
        heap_unlock(h);
    }
    return ok;
}

void gpu_memory_retire(Device d, cudaStream_t stream) {
    Heap *h = heap_lock(d);
    if (h) {
        heap_forget(h, stream);
        heap_retire(h, stream);
        heap_unlock(h);
    }
}

bool gpu_memory_is_of(Device d, const void *p, cudaStream_t stream) {
    Heap *h = heap_lock(d);
    bool is = h && heap_is_of(h, p, stream);
    if (h) {
        heap_unlock(h);
    }
    return is;
}

bool gpu_memory_stats(Device d, DeviceMemory *stats) {
    size_t available, total;
    Heap *h = heap_lock(d);
    if (!h) {
        return false;
    }
    *stats = (DeviceMemory){.live = h->live,
                            .peak = h->peak,
                            .cached = h->reserved - h->live,
                            .largest_free = heap_largest(h),
                            .limit = h->limit,
                            .allocs = h->allocs,
                            .frees = h->frees,
                            .device_allocs = h->device_allocs};
    heap_unlock(h);
    if (!gpu_ok(cudaMemGetInfo(&available, &total), "memory_stats")) {
        return false;
    }
    stats->device_free = available;
    stats->device_total = total;
    return true;
}

bool gpu_memory_trim(Device d, size_t keep) {
    Heap *h = heap_lock(d);
    if (!h) {
        return false;
    }
    heap_poll(h, true);
    heap_trim(h, keep);
    heap_unlock(h);
    return true;
}

void gpu_memory_reset_peak(Device d) {
    Heap *h = heap_lock(d);
    if (h) {
        h->peak = h->live;
        heap_unlock(h);
    }
}

bool gpu_memory_limit(Device d, size_t bytes) {
    Heap *h = heap_lock(d);
    if (!h) {
        return false;
    }
    h->limit = bytes;
    if (bytes && h->reserved > bytes) {
        size_t excess = h->reserved - bytes, cached = h->reserved - h->live;
        heap_trim(h, cached > excess ? cached - excess : 0);
    }
    heap_unlock(h);
    return true;
}
