#include "base/cpus.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Reads the first line of a file in a folder, without its end. */
static bool read_line(const char *folder, const char *name, char *line, int size) {
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s/%s", folder, name);
    if (length < 0 || length >= (int)sizeof path) {
        return false;
    }
    FILE *file = fopen(path, "re");
    if (!file) {
        return false;
    }
    bool ok = fgets(line, size, file) != NULL;
    fclose(file);
    return ok;
}

static int whole_cpus(long long quota, long long period) {
    if (quota <= 0 || period <= 0) {
        return 0;
    }
    long long cpus = (quota - 1) / period + 1;
    return cpus > INT_MAX ? INT_MAX : (int)cpus;
}

/* The quota of one folder, of either version; 0 if it sets none. */
static int folder_quota(const char *folder) {
    char line[128];
    long long quota, period;
    if (read_line(folder, "cpu.max", line, sizeof line)) {
        return sscanf(line, "%lld %lld", &quota, &period) == 2 ? whole_cpus(quota, period) : 0;
    }
    if (!read_line(folder, "cpu.cfs_quota_us", line, sizeof line) ||
        sscanf(line, "%lld", &quota) != 1) {
        return 0;
    }
    if (!read_line(folder, "cpu.cfs_period_us", line, sizeof line) ||
        sscanf(line, "%lld", &period) != 1) {
        return 0;
    }
    return whole_cpus(quota, period);
}

static int lower(int a, int b) { return a == 0 ? b : b == 0 || a < b ? a : b; }

/* The lowest quota of a group and its parents up to the mount. A group that is not visible below
 * the mount (inside a container) leaves the mount's own. */
static int quota_upwards(const char *mount, const char *group) {
    char folder[PATH_MAX];
    int length = snprintf(folder, sizeof folder, "%s%s", mount, group);
    if (length < 0 || length >= (int)sizeof folder) {
        return 0;
    }
    int lowest = 0;
    size_t root = strlen(mount);
    for (;;) {
        lowest = lower(lowest, folder_quota(folder));
        char *slash = strrchr(folder + root, '/');
        if (!slash) {
            return lowest;
        }
        *slash = '\0';
    }
}

/* Whether "cpu" is among the names, which commas separate. */
static bool names_cpu(const char *names) {
    for (const char *name = names; name; name = strchr(name, ',')) {
        name += *name == ',';
        size_t length = strcspn(name, ",");
        if (length == 3 && strncmp(name, "cpu", 3) == 0) {
            return true;
        }
    }
    return false;
}

/* A line is "number:controllers:/group"; version 2 has no controllers, and version 1 a folder
 * named after them. */
static int line_quota(char *line, const char *mount) {
    line[strcspn(line, "\n")] = '\0';
    char *controllers = strchr(line, ':');
    char *group = controllers ? strchr(controllers + 1, ':') : NULL;
    if (!group) {
        return 0;
    }
    controllers++;
    *group++ = '\0';
    if (!*controllers) {
        return quota_upwards(mount, group);
    }
    char hierarchy[PATH_MAX];
    int length = snprintf(hierarchy, sizeof hierarchy, "%s/%s", mount, controllers);
    if (!names_cpu(controllers) || length < 0 || length >= (int)sizeof hierarchy) {
        return 0;
    }
    return quota_upwards(hierarchy, group);
}

int cpus_quota(const char *groups_file, const char *mount) {
    FILE *file = fopen(groups_file, "re");
    if (!file) {
        return 0;
    }
    char line[PATH_MAX];
    int lowest = 0;
    while (fgets(line, sizeof line, file)) {
        lowest = lower(lowest, line_quota(line, mount));
    }
    fclose(file);
    return lowest;
}

/* Grows the mask until the kernel's fits; 0 if it cannot be had. */
static int affinity(void) {
    for (int cpus = CPU_SETSIZE; cpus <= 1 << 20; cpus *= 2) {
        cpu_set_t *set = CPU_ALLOC((size_t)cpus);
        if (!set) {
            return 0;
        }
        size_t bytes = CPU_ALLOC_SIZE((size_t)cpus);
        int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
        CPU_FREE(set);
        if (count) {
            return count;
        }
    }
    return 0;
}

int cpus_available(void) {
    int cpus = lower(affinity(), cpus_quota("/proc/self/cgroup", "/sys/fs/cgroup"));
    return cpus ? cpus : 1;
}
