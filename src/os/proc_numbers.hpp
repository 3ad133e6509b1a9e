// SPDX-License-Identifier: MIT
#pragma once

// A /proc counts threads and processes as the pid namespace does that it was mounted
// in. That need not be this process's own: `unshare --pid --fork` leaves the old one.
namespace brood::os {

// Of a thread of this process. 0 where it can't be told.
int number_of_proc_entry(int entry);
int proc_entry_of(int native_id);

// Whether this process's next children are to live in another pid namespace, in
// which the first of them ends all others with itself, and which forbids its maker
// to start threads.
bool children_live_elsewhere() noexcept;

}  // namespace brood::os
