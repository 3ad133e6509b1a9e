// SPDX-License-Identifier: MIT
#pragma once

// The words that every room shares: errors, time limits, numbers of things.
#include <brood/base/count.hpp>
#include <brood/base/error.hpp>
#include <brood/base/export.hpp>
#include <brood/base/timeout.hpp>
