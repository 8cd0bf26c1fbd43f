--- Fourier transforms on the device "cuda" against the CPU's: layouts that cuFFT takes as they are, and others.

local tocha = require "tocha"

assert(tocha.cuda.is_available(), "these specs want a GPU, or TOCHA_HOSTGPU")

local function random(...)
    return tocha.complex(tocha.randn(..., {dtype = "float64"}), tocha.randn(..., {dtype = "float64"}))
end

--- A function of a tensor gives the same on both devices.
local function agrees(x, f)
    local difference = (f(x:to("cuda")):to("cpu") - f(x)):abs():max():item()
    assert.is_true(difference < 1e-10, "the results differ by " .. difference)
end

describe("Fourier transforms on a CUDA device", function()
    for _, n in ipairs {1, 2, 7, 30, 97} do
        it("run along any dim: " .. n .. " numbers", function()
            local z = random {3, n, 4}
            for dim = 1, 3 do
                agrees(z, function(x)
                    return x:fourier(dim, true, 0.5)
                end)
                agrees(z, function(x)
                    return x:transpose(1, 3):fourier(dim)
                end)
            end
        end)

        it("read windows and repeated numbers: " .. n, function()
            local x = tocha.randn({5, 2 * n + 1}, {dtype = "float64"})
            agrees(x, function(v)
                return v:narrow(2, 2, 2 * n):fourier_real()
            end)
            agrees(x, function(v)
                return v:narrow(2, 1, 2 * n):select(1, 2):expand(3, 2 * n):fourier_real()
            end)
            agrees(random {n, 2}, function(v)
                return v:select(2, 1):expand(3, n):fourier(1)
            end)
        end)

        it("run along any dim of real numbers: " .. n, function()
            local x, z = tocha.randn({3, n, 4}, {dtype = "float64"}), random {3, n // 2 + 1, 4}
            for dim = 1, 3 do
                agrees(x, function(v)
                    return v:fourier_real(dim)
                end)
                agrees(x, function(v)
                    return v:transpose(1, 3):narrow(2, n, 1):fourier_real(dim, 2)
                end)
            end
            agrees(z, function(v)
                return v:fourier_to_real(n, 2)
            end)
            agrees(z, function(v)
                return v:transpose(1, 2):fourier_to_real(n, 1, 0.5)
            end)
            agrees(z, function(v)
                return v:transpose(2, 3):fourier_to_real(n)
            end)
        end)
    end

    it("leave what they are made of as it was", function()
        local half = random {2, 9}
        local on_device = half:to("cuda")
        on_device:fourier_to_real(16)
        assert.is_true(on_device:to("cpu"):equal(half))
    end)

    it("come out right when more lengths are used than plans are kept", function()
        for round = 1, 2 do
            for n = 1, 70 do
                agrees(random {2, n}, function(x)
                    return x:fourier(-1, round == 2)
                end)
            end
        end
    end)
end)
