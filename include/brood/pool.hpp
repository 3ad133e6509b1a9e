// SPDX-License-Identifier: MIT
//
// The room `pool`: many tasks over few workers.
#pragma once

#include <brood/base/cpu_count.hpp>
#include <brood/pool/async_result.hpp>
#include <brood/pool/options.hpp>
#include <brood/pool/outcome.hpp>
#include <brood/pool/pool.hpp>
#include <brood/pool/this_task.hpp>
#include <brood/pool/wait.hpp>
#include <brood/process/init.hpp>
