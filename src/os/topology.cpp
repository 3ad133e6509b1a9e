// SPDX-License-Identifier: MIT
#include "os/topology.hpp"

#include <brood/base/error.hpp>

#ifdef BROOD_HAVE_HWLOC

#include <dlfcn.h>
#include <hwloc.h>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <utility>

namespace brood::os {
namespace {

// The name has the version of the binary interface, that of hwloc 2.
constexpr const char* library_name = "libhwloc.so.15";
constexpr const char* way_out = "; install the package libhwloc15, or leave .placement out";

// What is used of it, by name.
class Hwloc {
 public:
  static const Hwloc& get() {
    static const Hwloc opened;
    return opened;
  }

 private:
  template <typename Function>
  Function* find(const char* name) const {
    void* const found = ::dlsym(library_, name);
    if (!found) refuse();
    return reinterpret_cast<Function*>(found);
  }
  [[noreturn]] static void refuse() {
    const char* const why = ::dlerror();
    throw ContextError(std::string("cannot place workers: ") + (why ? why : library_name) +
                       way_out);
  }
  static void* open() {
    void* const library = ::dlopen(library_name, RTLD_NOW | RTLD_LOCAL);
    if (!library) refuse();
    return library;
  }

  // Never closed.
  void* const library_ = open();

 public:
#define BROOD_HWLOC(name) \
  decltype(hwloc_##name)* const name = find<decltype(hwloc_##name)>("hwloc_" #name)
  BROOD_HWLOC(topology_init);
  BROOD_HWLOC(topology_destroy);
  BROOD_HWLOC(topology_set_flags);
  BROOD_HWLOC(topology_set_synthetic);
  BROOD_HWLOC(topology_load);
  BROOD_HWLOC(get_type_depth);
  BROOD_HWLOC(get_nbobjs_by_depth);
  BROOD_HWLOC(get_obj_by_depth);
  BROOD_HWLOC(bitmap_next);
#undef BROOD_HWLOC
};

struct Destroy {
  void operator()(hwloc_topology_t topology) const noexcept {
    Hwloc::get().topology_destroy(topology);
  }
};
using Loaded = std::unique_ptr<hwloc_topology, Destroy>;

// Of this machine, where no description is given. To ask each CPU for what it is,
// the calling thread would have to go there; the kernel has been asked already.
Loaded load(const char* description) {
  const Hwloc& hwloc = Hwloc::get();
  hwloc_topology_t made = nullptr;
  bool good = hwloc.topology_init(&made) == 0;
  Loaded topology(good ? made : nullptr);
  if (good && description) {
    good = hwloc.topology_set_synthetic(made, description) == 0;
  } else if (good) {
    good = hwloc.topology_set_flags(made, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED |
                                              HWLOC_TOPOLOGY_FLAG_DONT_CHANGE_BINDING) == 0;
  }
  if (good && hwloc.topology_load(made) == 0) return topology;
  throw ContextError(std::string("cannot place workers: ") + library_name +
                     " can't read the machine's topology; it must be hwloc 2.5 or later");
}

std::vector<unsigned> numbers(hwloc_const_bitmap_t set) {
  const Hwloc& hwloc = Hwloc::get();
  std::vector<unsigned> all;
  for (int at = hwloc.bitmap_next(set, -1); at != -1; at = hwloc.bitmap_next(set, at)) {
    all.push_back(static_cast<unsigned>(at));
  }
  return all;
}

Topology::Part as_part(const hwloc_obj& object) {
  Topology::Part part{object.os_index, numbers(object.cpuset), {}};
  for (const hwloc_obj* at = &object; at->parent; at = at->parent) {
    part.path.push_back(at->sibling_rank);
  }
  std::reverse(part.path.begin(), part.path.end());
  return part;
}

std::vector<Topology::Part> parts(const Loaded& topology, hwloc_obj_type_t type) {
  const Hwloc& hwloc = Hwloc::get();
  const int depth = hwloc.get_type_depth(topology.get(), type);
  std::vector<Topology::Part> all;
  const unsigned count = hwloc.get_nbobjs_by_depth(topology.get(), depth);
  for (unsigned i = 0; i < count; ++i) {
    all.push_back(as_part(*hwloc.get_obj_by_depth(topology.get(), depth, i)));
  }
  return all;
}

// Memory may be near to a whole package beside that of its parts, or of two kinds near
// to the same CPUs: then what is nearest to fewest CPUs counts, and the first of equals,
// which is the common kind.
std::vector<Topology::Part> without_overlaps(std::vector<Topology::Part> nodes) {
  std::sort(nodes.begin(), nodes.end(), [](const auto& one, const auto& other) {
    return std::pair(one.cpus.size(), one.path) < std::pair(other.cpus.size(), other.path);
  });
  std::vector<unsigned> taken;
  std::erase_if(nodes, [&](const Topology::Part& node) {
    const bool overlaps = std::any_of(node.cpus.begin(), node.cpus.end(), [&](unsigned cpu) {
      return std::find(taken.begin(), taken.end(), cpu) != taken.end();
    });
    if (!overlaps) taken.insert(taken.end(), node.cpus.begin(), node.cpus.end());
    return overlaps || node.cpus.empty();
  });
  std::sort(nodes.begin(), nodes.end(),
            [](const auto& one, const auto& other) { return one.path < other.path; });
  return nodes;
}

Topology read(const char* description) {
  const Loaded loaded = load(description);
  Topology topology{parts(loaded, HWLOC_OBJ_CORE), {}};
  // Some virtual machines don't tell which CPUs are of one core.
  if (topology.cores.empty()) topology.cores = parts(loaded, HWLOC_OBJ_PU);
  topology.nodes = without_overlaps(parts(loaded, HWLOC_OBJ_NUMANODE));
  return topology;
}

}  // namespace

const Topology& machine_topology() {
  static const auto& machine = *new Topology(read(nullptr));
  return machine;
}

Topology synthetic_topology(const std::string& description) { return read(description.c_str()); }

}  // namespace brood::os

#else

namespace brood::os {

const Topology& machine_topology() {
  throw ContextError(
      "cannot place workers: this build of brood has no hwloc; build it where libhwloc-dev is "
      "installed, or leave .placement out");
}

Topology synthetic_topology(const std::string&) { return machine_topology(); }

}  // namespace brood::os

#endif
