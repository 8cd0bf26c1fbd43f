#ifndef TOCHA_BASE_CPUS_H
#define TOCHA_BASE_CPUS_H

/* How many CPUs the process may keep busy: its affinity mask, or the quota of its control groups
 * (rounded up) where that is lower. At least 1. */
int cpus_available(void);

/*
 * The lowest CPU quota, rounded up, along the control groups that a file like /proc/self/cgroup
 * names, in hierarchies mounted like /sys/fs/cgroup (version 2, or version 1 with its controllers
 * below). 0 if there is none, or if the files cannot be read.
 */
int cpus_quota(const char *groups_file, const char *mount);

#endif
