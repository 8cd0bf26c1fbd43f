#include <sched.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cpus.h"
#include "base/log.h"
#include "base/threads.h"
#include "base_check.h"

/* How many threads there are by default, each case in a process of its own. */

static char warned[256];
static int warnings;

static void keep_warning(const char *message) {
    snprintf(warned, sizeof warned, "%s", message);
    warnings++;
}

static bool five(void) {
    CHECK(threads_get() == 5, "%d threads", threads_get());
    return true;
}

static bool five_despite_openmp(void) {
    setenv("OMP_NUM_THREADS", "3", 1);
    return five();
}

static bool most(void) {
    CHECK(threads_get() == THREADS_MAX, "%d threads", threads_get());
    return true;
}

static bool warned_and_default(void) {
    warn_set_hook(keep_warning);
    CHECK(threads_get() == cpus_available(), "%d threads", threads_get());
    CHECK(warnings == 1 && strstr(warned, "expected a number of threads"), "%d warnings: %s",
          warnings, warned);
    return true;
}

static bool one_cpu(void) {
    cpu_set_t set;
    CHECK(sched_getaffinity(0, sizeof set, &set) == 0, "no affinity");
    for (int cpu = CPU_SETSIZE - 1; CPU_COUNT(&set) > 1; cpu--) {
        CPU_CLR((size_t)cpu, &set);
    }
    CHECK(sched_setaffinity(0, sizeof set, &set) == 0, "cannot set the affinity");
    CHECK(cpus_available() == 1 && threads_get() == 1, "%d threads", threads_get());
    return true;
}

static bool environment(void) {
    unsetenv("TOCHA_NUM_THREADS");
    unsetenv("OMP_NUM_THREADS");
    return in_child("TOCHA_NUM_THREADS", "5", five) &&
           in_child("TOCHA_NUM_THREADS", "5", five_despite_openmp) &&
           in_child("OMP_NUM_THREADS", "5,2", five) &&
           in_child("TOCHA_NUM_THREADS", "100000", most) &&
           in_child("TOCHA_NUM_THREADS", "0", warned_and_default) &&
           in_child("TOCHA_NUM_THREADS", "many", warned_and_default) &&
           in_child("OMP_NUM_THREADS", "-2", warned_and_default);
}

static bool affinity(void) { return in_child(NULL, NULL, one_cpu); }

static char root[] = "/tmp/tocha_cgroup_XXXXXX";

static bool write_file(const char *name, const char *text) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    FILE *file = fopen(path, "w");
    CHECK(file, "cannot write %s", path);
    fputs(text, file);
    CHECK(fclose(file) == 0, "cannot write %s", path);
    return true;
}

static bool make_folder(const char *name) {
    char path[256];
    snprintf(path, sizeof path, "%s/%s", root, name);
    CHECK(mkdir(path, 0700) == 0, "cannot make %s", path);
    return true;
}

static int quota(const char *groups) {
    char path[256];
    snprintf(path, sizeof path, "%s/groups", root);
    return write_file("groups", groups) ? cpus_quota(path, root) : -1;
}

static bool quotas(void) {
    CHECK(mkdtemp(root), "no folder");
    CHECK(make_folder("a") && make_folder("a/b") && make_folder("cpu,cpuacct") &&
              make_folder("cpu,cpuacct/c"),
          "no folders");
    CHECK(quota("0::/a/b\n") == 0, "a quota from nothing: %d", quota("0::/a/b\n"));
    CHECK(write_file("a/cpu.max", "250000 100000\n"), "no file");
    CHECK(quota("0::/a/b\n") == 3, "of the parent: %d", quota("0::/a/b\n"));
    CHECK(write_file("a/b/cpu.max", "max 100000\n"), "no file");
    CHECK(quota("0::/a/b\n") == 3, "max is no quota: %d", quota("0::/a/b\n"));
    CHECK(write_file("a/b/cpu.max", "150000 100000\n"), "no file");
    CHECK(quota("0::/a/b\n") == 2, "the lower: %d", quota("0::/a/b\n"));
    CHECK(quota("0::/\n") == 0, "of the root: %d", quota("0::/\n"));
    CHECK(write_file("cpu.max", "50000 100000\n"), "no file");
    CHECK(quota("0::/not/visible\n") == 1, "of the mount: %d", quota("0::/not/visible\n"));
    CHECK(write_file("cpu,cpuacct/c/cpu.cfs_quota_us", "400000\n") &&
              write_file("cpu,cpuacct/c/cpu.cfs_period_us", "100000\n"),
          "no files");
    CHECK(quota("9:cpuset:/c\n3:cpu,cpuacct:/c\n") == 4, "version 1");
    CHECK(quota("9:cpuset:/c\n3:cpuacct:/c\n") == 0, "another controller");
    CHECK(write_file("cpu,cpuacct/c/cpu.cfs_quota_us", "-1\n"), "no file");
    CHECK(quota("3:cpu,cpuacct:/c\n") == 0, "version 1 without quota");
    CHECK(quota("nonsense\n:\n\n") == 0, "nonsense");
    CHECK(cpus_quota("/nowhere", root) == 0, "no file");
    return true;
}

static void remove_folders(void) {
    static const char *const names[] = {"a/b/cpu.max",
                                        "a/b",
                                        "a/cpu.max",
                                        "a",
                                        "cpu,cpuacct/c/cpu.cfs_quota_us",
                                        "cpu,cpuacct/c/cpu.cfs_period_us",
                                        "cpu,cpuacct/c",
                                        "cpu,cpuacct",
                                        "cpu.max",
                                        "groups",
                                        ""};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[256];
        snprintf(path, sizeof path, "%s/%s", root, names[i]);
        remove(path);
    }
}

int main(void) {
    static const Case cases[] = {
        {"threads_environment", environment},
        {"threads_affinity", affinity},
        {"threads_quotas", quotas},
    };
    int status = RUN_CASES(cases);
    remove_folders();
    return status;
}
