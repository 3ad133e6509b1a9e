// SPDX-License-Identifier: MIT
#pragma once

// All of brood.
#include <brood/base.hpp>
#include <brood/pool.hpp>
#include <brood/process.hpp>
#include <brood/share.hpp>
#include <brood/thread.hpp>
