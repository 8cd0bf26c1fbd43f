--- Samples of arithmetic of two and of three tensors.

local values = require "tests.harness.values"
local common = require "tests.harness.samples.common"

local random, literal, number = values.random, values.literal, values.number
local binary, join, with_numbers, specials = common.binary, common.join, common.with_numbers, common.special_pairs

local nan, inf = 0 / 0, math.huge
local divisor = {low = 0.5, high = 3.9, ints = {1, 7}}
local positive = {low = 0.25, high = 3, ints = {1, 5}}
local powers = random {3, low = -2, high = 2}
local counts = {ints = {0, 7}}

local pair_of_floats = {
    {{input = literal {nan, nan, inf, -inf, 0.0, -0.0, -0.0, 0.0, inf},
        other = literal {1.0, inf, -inf, -inf, -0.0, 0.0, -1.0, -1.0, 2.0}}, dtypes = "float", grad = false},
}

local function triple(names, torch, ranges, extra)
    local function sample(shapes)
        local args = {}
        for i, name in ipairs(names) do
            local options = {table.unpack(shapes[i])}
            for key, value in pairs(ranges[i] or {}) do
                options[key] = value
            end
            args[name] = random(options)
        end
        return {args}
    end
    local list = {
        torch = torch,
        sample {{2, 3}, {2, 3}, {2, 3}},
        sample {{2, 1, 3}, {4, 1}, {3}},
        sample {{}, {2, 3}, {}},
        sample {{}, {}, {}},
        sample {{0, 3}, {1, 3}, {3}},
        sample {{67}, {67}, {67}},
        sample {{3, 4}, {3, 1}, {3, 4}},
    }
    local bad = sample {{2, 3}, {2}, {2, 3}}
    bad.error = "shapes 2x3, 2 and 2x3 of .* do not broadcast"
    list[#list + 1] = bad
    for _, more in ipairs(extra or {}) do
        list[#list + 1] = more
    end
    return list
end

local products = {"input", "tensor1", "tensor2"}

return {
    fmod = join(binary({}, divisor), {
        {{input = literal {7, -7, 7, -7, 0}, other = literal {3, 3, -3, -3, 5}}, dtypes = "signed float",
            grad = false},
        {{input = literal {1e10, -1e10, 5.5, inf, 1.0}, other = literal {3.0, 3.0, inf, 2.0, 0.0}}, dtypes = "wide",
            grad = false},
        {{input = random {2, 3, low = 0.1}, other = number(2)}},
        {{input = literal {5, 3}, other = literal {2, 0}}, dtypes = "int", error = "fmod: other has a 0"},
    }),
    div__rounding = {
        torch = "torch.div(input, other, rounding_mode=rounding_mode)",
        {{input = random {2, 3}, other = random {2, 3, low = 0.5, ints = {1, 5}}, rounding_mode = "floor"}},
        {{input = random {2, 3}, other = random {2, 3, low = 0.5, ints = {1, 5}}, rounding_mode = "trunc"}},
        {{input = random {2, 1, 3}, other = random {4, 1, low = 0.5, ints = {1, 5}}, rounding_mode = "trunc"}},
        {{input = random {}, other = random {low = 0.5, ints = {1, 5}}, rounding_mode = "trunc"}},
        {{input = random {0}, other = random {low = 0.5, ints = {1, 5}}, rounding_mode = "floor"}},
        {{input = literal {7, -7, 7, -7}, other = literal {2, 2, -2, -2}, rounding_mode = "trunc"},
            dtypes = "signed float", grad = false},
        {{input = random {2}, other = number(2), rounding_mode = "up"},
            error = "div: rounding_mode must be \"floor\" or \"trunc\", got \"up\"$"},
        {{input = literal {5, 3}, other = literal {2, 0}, rounding_mode = "trunc"}, dtypes = "int",
            error = "div: other has a 0"},
    },
    round__decimals = {
        torch = "torch.round(input, decimals=decimals)",
        {{input = random {2, 3}, decimals = 1}},
        {{input = random {2, 3}, decimals = 0}},
        {{input = random {67, low = -90, high = 90}, decimals = -1}},
        {{input = random {}, decimals = 2}, ulps = 0.6},
        {{input = random {0}, decimals = 2}},
        {{input = random {2}, decimals = 401}, error = "round: decimals must be in %[%-400, 400%], got 401$"},
    },
    float_power = {
        dtypes = "all",
        torch = "torch.float_power(input, exponent)",
        {{input = random {2, 3, low = 0.25, ints = {1, 5}}, exponent = powers}, dtypes = "float64"},
        {{input = random {2, 3, low = 0.25, ints = {1, 5}}, exponent = powers}, dtypes = "float32"},
        {{input = random {2, 3, low = 0.25, ints = {1, 5}}, exponent = powers}, dtypes = "float16"},
        {{input = random {2, 3, low = 0.25, ints = {1, 5}}, exponent = powers}, dtypes = "bfloat16"},
        {{input = random {2, 3, low = 0.25, ints = {1, 5}}, exponent = powers}, dtypes = "int bool"},
        {{input = random {2, 3, low = 0.25, ints = {1, 5}}, exponent = powers}, dtypes = "complex128"},
        {{input = random {2, 3, low = 0.25, ints = {1, 5}}, exponent = powers}, dtypes = "complex64"},
        {{input = random {low = 0.25, ints = {1, 5}}, exponent = number(2)}, dtypes = "float64 int"},
        {{input = random {0}, exponent = number(0.5)}, dtypes = "float64 int"},
    },
    atan2 = join(binary({low = 0.25}, {low = 0.25}), pair_of_floats, {
        {{input = literal {1.0, -1.0, 1.0, -1.0, 0.0}, other = literal {2.0, 2.0, -2.0, -2.0, -1.0}},
            dtypes = "float"},
    }),
    hypot = join(binary({low = 0.25}, {low = 0.25}), specials, {
        {{input = literal {1e300, 1e-300, 3.0}, other = literal {1e300, 1e-300, 4.0}}, dtypes = "float64",
            grad = false},
        {{input = literal {1e30, 1e-30, 3.0}, other = literal {1e30, 1e-30, 4.0}}, dtypes = "float32",
            grad = false},
    }),
    fmax = join(binary(), with_numbers(3, 0.75), specials),
    fmin = join(binary(), with_numbers(3, 0.75), specials),
    copysign = join(binary({low = 0.25}), pair_of_floats, {
        {{input = random {2, 3, low = 0.25}, other = number(-1)}},
    }),
    nextafter = join({
        torch = "torch.nextafter(input.detach(), other.detach())",
        no_stored_gradient = true,
    }, binary(), {
        {{input = literal {0.0, -0.0, 1.0, -1.0, inf}, other = literal {1.0, -1.0, 0.0, 0.0, 0.0}}, dtypes = "float64",
            grad = false},
        {{input = literal {0.0, -0.0, 1.0, -1.0, inf}, other = literal {1.0, -1.0, 0.0, 0.0, 0.0}}, dtypes = "float32",
            grad = false},
        {{input = literal {nan, 1.0, nan}, other = literal {1.0, nan, nan}}, grad = false},
    }),
    heaviside = {
        torch = "torch.heaviside(input.detach(), values.detach())",
        no_stored_gradient = true,
        {{input = random {2, 3}, values = random {2, 3}}},
        {{input = random {2, 1, 3}, values = random {4, 1}}},
        {{input = random {}, values = random {}}},
        {{input = random {0}, values = random {}}},
        {{input = literal {-1, 0, 2, 0}, values = literal {5, 6, 7, 8}}, dtypes = "signed float"},
        {{input = literal {nan, 0.0, -0.0, inf}, values = literal {5.0, nan, 7.0, 8.0}}, dtypes = "float"},
        {{input = random {67}, values = random {67}}},
        {{input = random {2, 3}, values = random {3, 2}}, error = "heaviside: shapes 2x3 and 3x2"},
    },
    logaddexp = join(binary(), specials, {
        {{input = literal({-inf, -inf, inf, 1000.0}, {imag = {0.0, 1.0, 2.0, -1.0}}),
            other = literal({-inf, 2.0, 1.0, 1001.0}, {imag = {1.0, 0.5, 0.0, 2.0}})}, dtypes = "complex",
            complex_grad = false},
        {{input = literal {1000.0, -1000.0, 1e-9}, other = literal {999.0, -1001.0, 40.0}}, dtypes = "wide"},
    }),
    logaddexp2 = join(binary(), specials, {
        {{input = literal {1000.0, -1000.0, 1e-9}, other = literal {999.0, -1001.0, 40.0}}, dtypes = "wide"},
    }),
    xlogy = join(binary({}, positive), pair_of_floats, {
        {{input = literal {0.0, 0.0, 0.0, 2.0}, other = literal {0.0, -1.0, nan, 0.0}}, dtypes = "float",
            grad = false},
        {{input = random {3}, other = number(2)}},
    }),
    ldexp = {
        dtypes = "float",
        torch = "torch.ldexp(input, other)",
        ulps = 1.6,
        {{input = random {2, 3}, other = random {2, 3}}},
        {{input = random {2, 1, 3}, other = random({4, 1, dtype = "int64", ints = {-3, 3}})}},
        {{input = random {}, other = number(3)}},
        {{input = random {0}, other = random({1, dtype = "int32"})}},
    },
    rsub = {
        dtypes = "number",
        torch = "torch.rsub(input, other, alpha=alpha)",
        {{input = random {2, 3}, other = random {2, 3}}},
        {{input = random {2, 3}, other = random {3}, alpha = 2}},
        {{input = random {2, 3}, other = random {3}, alpha = values.complex(0.5, -2)}, dtypes = "complex"},
        {{input = random {2, 3}, other = number(1)}},
        {{input = random {}, other = number(0.5)}, dtypes = "float"},
        {{input = random {0}, other = number(1)}},
    },
    gcd = join(binary(), {
        {{input = literal {-128, -128, 0, 127}, other = literal {-128, 0, 0, 1}}, dtypes = "int8"},
        {{input = literal {12, 18, 0, 35}, other = literal {18, 27, 5, 49}}},
    }),
    lcm = join(binary(), {
        {{input = literal {12, 18, 0, 5}, other = literal {18, 27, 5, 7}}},
    }),
    bitwise_left_shift = join(binary({}, counts), {
        {{input = literal {1, 3, -5, 127}, other = literal {7, 2, 1, 1}}, dtypes = "int8"},
        {{input = literal {1, 3}, other = literal {31, 30}}, dtypes = "int32"},
        {{input = random {5}, other = number(2)}},
    }),
    bitwise_right_shift = join(binary({}, counts), {
        {{input = literal {-128, 127, -5, 5}, other = literal {7, 2, 1, 1}}, dtypes = "int8"},
        {{input = literal {-1, 3}, other = literal {31, 1}}, dtypes = "int32"},
        {{input = random {5}, other = number(2)}},
    }),
    logical_xor = join(binary(), specials),
    isclose = {
        dtypes = "all",
        no_grad = true,
        torch = "torch.isclose(input, other, rtol, atol, equal_nan)",
        {{input = random {2, 3}, other = random {2, 3}}},
        {{input = random {2, 3}, other = random {3}, rtol = 0.5, atol = 1.0}},
        {{input = random {}, other = random {}}},
        {{input = random {0}, other = random {1}}},
        {{input = literal {1.0, 1.0, inf, inf, nan, inf}, other = literal {1.0, 1.5, inf, -inf, nan, 1.0}},
            dtypes = "float"},
        {{input = literal {1.0, nan, nan}, other = literal {1.0, nan, 1.0}, equal_nan = true}, dtypes = "float"},
        {{input = random {2}, other = random {2}, rtol = -1.0}, error = "isclose: rtol must not be negative, got %-1$"},
        {{input = random {2}, other = random {2}, atol = -1.0}, error = "isclose: atol must not be negative, got %-1$"},
        {{input = random {2, 3}, other = random {3, 2}}, error = "isclose: shapes 2x3 and 3x2"},
    },
    isin = {
        dtypes = "any",
        no_grad = true,
        torch = "torch.isin(elements, test_elements, invert=invert)",
        {{elements = random {2, 3, ints = {0, 5}}, test_elements = random {4, ints = {0, 5}}}},
        {{elements = random {2, 3, ints = {0, 5}}, test_elements = random {2, 2, ints = {0, 5}}, invert = true}},
        {{elements = random {ints = {0, 5}}, test_elements = random {ints = {0, 5}}}},
        {{elements = random {0}, test_elements = random {3}}},
        {{elements = random {3}, test_elements = random {0}}},
        {{elements = random {3}, test_elements = random {0}, invert = true}},
        {{elements = literal {1.0, nan, inf, 2.0}, test_elements = literal {nan, inf, 2.0}}, dtypes = "float"},
    },
    addcmul = triple(products, "torch.addcmul(input, tensor1, tensor2, value=value)", {}, {
        {{input = random {2, 3}, tensor1 = random {2, 3}, tensor2 = random {3}, value = 2}},
        {{input = random {2, 3}, tensor1 = random {2, 3}, tensor2 = random {3}, value = -0.5},
            dtypes = "float complex"},
        {{input = random {2, 3}, tensor1 = random {2, 3}, tensor2 = random {3}, value = values.complex(0.5, -2)},
            dtypes = "complex"},
        {{input = random {2}, tensor1 = random {2}, tensor2 = random {2}, value = 0.5}, dtypes = "int",
            error = "addcmul: value must be an integer for %w+ tensors, got 0%.5$"},
    }),
    addcdiv = triple(products, "torch.addcdiv(input, tensor1, tensor2, value=value)", {{}, {}, divisor}, {
        {{input = random {2, 3}, tensor1 = random {2, 3}, tensor2 = random {3, low = 0.5}, value = -0.5}},
        {{input = random {2, 3}, tensor1 = random {2, 3}, tensor2 = random {3, low = 0.5},
            value = values.complex(0.5, -2)}, dtypes = "complex"},
    }),
    lerp = triple({"input", "end", "weight"}, "torch.lerp(input, end, weight)", {}, {
        {{input = random {2, 3}, ["end"] = random {2, 3}, weight = number(0.25)}},
        {{input = random {2, 3}, ["end"] = random {3}, weight = number(0.75)}},
    }),
    clamp__tensor = triple({"input", "min", "max"}, "torch.clamp(input, min, max)",
        {{}, {low = -3, high = -0.5, ints = {-4, 0}}, {low = 0.5, high = 3, ints = {1, 4}}}, {
        {{input = random {2, 3}, min = random {3}}},
        {{input = random {2, 3}, max = random {2, 1}}},
        {{input = random {}, max = random {}}},
        {{input = literal {1, 5, 3}, min = literal {2, 4, 3}, max = literal {1, 4, 3}}, differences = false},
        {{input = literal {nan, 1.0, 1.0}, min = literal {0.0, nan, 0.0}, max = literal {2.0, 2.0, nan}},
            dtypes = "float", grad = false},
        {{input = random {2}}, error = "clamp: give min, max or both$"},
    }),
    clamp_min = {
        dtypes = "real",
        {{input = random {2, 3}, min = random {3}}},
        {{input = random {2, 3}, min = number(1)}},
        {{input = random {2, 3}, min = number(0.5)}, dtypes = "float"},
        {{input = random {}, min = number(1)}, dtypes = "float"},
        {{input = random {0}, min = number(1)}},
    },
    clamp_max = {
        dtypes = "real",
        {{input = random {2, 3}, max = random {3}}},
        {{input = random {2, 3}, max = number(1)}},
        {{input = random {2, 3}, max = number(0.5)}, dtypes = "float"},
        {{input = random {}, max = number(1)}, dtypes = "float"},
        {{input = random {0}, max = number(1)}},
    },
}
