local tocha = require "tocha"
local process = require "tests.support.process"
local message = require("tests.support.expect").message

local function fails(expected, f)
    local text = message(f)
    assert.is_truthy(text:find(expected), text)
end

local function random(size, dtype)
    local x = tocha.randn(size, {dtype = "float64"})
    return tocha.complex(x, tocha.randn(size, {dtype = "float64"})):to(dtype)
end

--- One number of the transform of a vector, by the sum that it is.
local function by_sum(x, k)
    local n = x:size(1)
    local turns = (tocha.arange(0, n - 1) * k % n):double() * (-2 * math.pi / n)
    return (x:cdouble() * tocha.polar(1, turns)):sum()
end

local function distance(a, b)
    return (a - b):abs():max():item()
end

describe("tocha.fft", function()
    it("agrees with the sum at any length", function()
        for _, n in ipairs {1, 2, 3, 12, 16, 37, 64, 97, 100, 210, 509, 512, 961, 1000, 2187, 4099, 4608} do
            for _, dtype in ipairs {"complex64", "complex128"} do
                local x = random({n}, dtype)
                local got = tocha.fft.fft(x)
                for _, k in ipairs {0, 1, n // 3, n - 1} do
                    local off = distance(got[k % n + 1]:cdouble(), by_sum(x, k % n))
                    assert.is_true(off < (dtype == "complex64" and 1e-5 or 1e-13) * n, n .. " " .. dtype .. " " .. off)
                end
            end
        end
    end)

    it("takes long lines apart, and long primes too", function()
        for _, n in ipairs {1 << 17, 100000, 177147, 99991, 199982} do
            local x = random({n}, "complex64")
            local got = tocha.fft.fft(x)
            for _, k in ipairs {1, 4711} do
                assert.is_true(distance(got[k + 1]:cdouble(), by_sum(x, k)) < 1e-2)
            end
            assert.is_true(distance(tocha.fft.ifft(got), x) < 1e-5)
        end
    end)

    it("gives lines of a batch what each gets alone, in any layout", function()
        for _, n in ipairs {5, 16, 100, 257, 3000} do
            local x = random({37, n}, "complex128")
            local got = tocha.fft.fft(x)
            for _, i in ipairs {1, 16, 37} do
                assert.is_true(distance(got[i], tocha.fft.fft(x[i])) < 1e-11 * n)
            end
            local turned = x:t():contiguous()
            assert.is_true(distance(tocha.fft.fft(turned, {dim = 1}), got:t()) < 1e-11 * n)
            assert.is_true(distance(tocha.fft.fft(turned:t()), got) < 1e-11 * n)
            local cube = x:view(37, 1, n):expand(37, 3, n)
            assert.is_true(distance(tocha.fft.fft(cube)[{5, 2}], got[5]) < 1e-11 * n)
        end
    end)

    it("knows real numbers", function()
        for _, n in ipairs {2, 3, 8, 30, 37, 514, 4096, 140000} do
            local x = tocha.randn(3, n, {dtype = "float64"})
            local half = tocha.fft.rfft(x)
            assert.same({3, n // 2 + 1}, {half:size(1), half:size(2)})
            assert.is_true(distance(half, tocha.fft.fft(x):narrow(2, 1, n // 2 + 1)) < 1e-12 * n)
            assert.is_true(distance(tocha.fft.irfft(half, n), x) < 1e-12)
            local lines = tocha.randn(n, 40, {dtype = "float64"})
            assert.is_true(distance(tocha.fft.irfft(tocha.fft.rfft(lines, {dim = 1}), {n = n, dim = 1}), lines) < 1e-12)
        end
    end)

    it("is the same with any number of threads", function()
        local before = tocha.get_num_threads()
        finally(function() tocha.set_num_threads(before) end)
        local x, y = random({200, 300}, "complex64"), random({1 << 17}, "complex64")
        local results = {}
        for _, threads in ipairs {1, 3} do
            tocha.set_num_threads(threads)
            results[#results + 1] = {tocha.fft.fft2(x), tocha.fft.fft(y)}
        end
        assert.is_true(results[1][1] == results[2][1])
        assert.is_true(results[1][2] == results[2][2])
    end)

    it("keeps few plans, and none of a very long transform", function()
        for n = 1, 80 do
            tocha.fft.fft(tocha.ones(n))
        end
        assert.is_true(distance(tocha.fft.ifft(tocha.fft.fft(tocha.ones(3))), tocha.ones(3)) < 1e-6)
        local x = random({1 << 18}, "complex64")
        collectgarbage()
        local before = tocha.memory_stats().live
        for n = 1, 40 do
            tocha.fft.fft(x, (1 << 18) - 64 * n)
            collectgarbage()
        end
        assert.is_true(tocha.memory_stats().live - before < 80 << 20)
        before = tocha.memory_stats().live
        tocha.fft.fft(tocha.zeros(9 << 19, {dtype = "complex64"}))
        collectgarbage()
        assert.is_true(tocha.memory_stats().live - before < 8 << 20)
    end)

    it("gives lines that are few, many, long or in any dims what each gets alone", function()
        for _, size in ipairs {{5, 3, 1000, 2}, {2, 50000}, {3, 17, 2, 11}, {40000, 3}, {7, 1, 1300, 9}} do
            local x = random(size, "complex64")
            for dim = 1, #size do
                local got, lines = tocha.fft.fft(x, {dim = dim}), x:movedim(dim, -1):reshape(-1, size[dim])
                local flat = got:movedim(dim, -1):reshape(-1, size[dim])
                for _, i in ipairs {1, lines:size(1) // 2 + 1, lines:size(1)} do
                    local alone = tocha.fft.fft(lines[i])
                    assert.is_true(distance(flat[i], alone) < 1e-5 * alone:abs():max():item())
                end
            end
        end
    end)

    it("is as exact as its numbers are", function()
        for _, n in ipairs {1 << 16, 65537, 99991, 3 * 5 * 7 * 11 * 13} do
            local x = random({n}, "complex128")
            local exact = tocha.fft.fft(x)
            local size = exact:abs():square():mean():sqrt():item()
            assert.is_true(distance(tocha.fft.ifft(exact), x) < 1e-14 * 20)
            assert.is_true(distance(tocha.fft.fft(x:to("complex64")):cdouble(), exact) < 1e-5 * size)
            local half = tocha.fft.rfft(x:real():float())
            assert.is_true(distance(half:cdouble(), tocha.fft.rfft(x:real())) < 1e-5 * size)
        end
    end)

    it("reads no imaginary part where the numbers that come out are real", function()
        for _, n in ipairs {1, 2, 5, 6, 101} do
            local half = random({n // 2 + 1}, "complex128")
            local plain = half:clone()
            plain[1] = half[1]:real()
            if n % 2 == 0 then
                plain[-1] = half[-1]:real()
            end
            assert.is_true(tocha.fft.irfft(half, n) == tocha.fft.irfft(plain, n))
        end
    end)

    it("says so where memory is short, on any thread, and goes on", function()
        local code = [[
            local tocha = require "tocha"
            local x = tocha.zeros(8, 99991, {dtype = "complex64"})
            print(pcall(tocha.fft.fft, x))
            print(tocha.fft.fft(tocha.ones(4))[1]:item())
        ]]
        local text = process.run("TOCHA_MEMORY_LIMIT=16M TOCHA_NUM_THREADS=3", code)
        assert.is_truthy(text:find("^false\t.*fft_fft: out of memory: %d+ bytes requested.*\n4.0\t0.0\n$"), text)
    end)

    it("says which module is missing", function()
        local folder = os.tmpname()
        os.remove(folder)
        local code = [[local tocha = require "tocha"; print(pcall(tocha.fft.rfft, tocha.ones(4)))]]
        local pipe = assert(io.popen(("mkdir -p %s/tocha && cp '%s/lib/tocha/core.so' %s/tocha && TOCHA_ISA=baseline "
            .. "LUA_CPATH='%s/?.so' lua5.4 -e '%s' 2>&1; rm -r %s"):format(folder, os.getenv "TOCHA_BUILD" or "build",
            folder, folder, code, folder)))
        local text = pipe:read "a"
        pipe:close()
        assert.is_truthy(text:find("fft_rfft: there is no tocha_fft_baseline.so, the module", 1, true), text)
    end)

    it("says what it does not take", function()
        fails("fft_fft: input must be float32, float64 or complex, got float16; convert it with :float%(%)",
            function() tocha.fft.fft(tocha.ones(4):half()) end)
        fails("fft_rfft: input must be real, got complex64", function() tocha.fft.rfft(random({4}, "complex64")) end)
        fails("fft_fftfreq: dtype must be", function() tocha.fft.fftfreq(4, {dtype = "int32"}) end)
    end)
end)

describe("stft", function()
    it("is undone by istft, whatever the window", function()
        local x = tocha.randn(3, 1000, {dtype = "float64"})
        for _, options in ipairs {
            {n_fft = 64}, {n_fft = 50, hop_length = 20}, {n_fft = 64, hop_length = 16, win_length = 40},
            {n_fft = 64, hop_length = 32, window = tocha.rand(64, {dtype = "float64"}) + 0.5, normalized = true},
            {n_fft = 31, hop_length = 10, onesided = false},
        } do
            local spectrum = x:stft(options)
            options.length = 1000
            assert.is_true(distance(spectrum:istft(options), x) < 1e-10)
        end
    end)

    it("keeps complex signals", function()
        local x = random({200}, "complex128")
        local spectrum = x:stft(16)
        assert.equal(16, spectrum:size(1))
        assert.is_true(distance(spectrum:istft(16, {length = 200, return_complex = true}), x) < 1e-12)
    end)

    it("fills up with zeros what is longer than the frames", function()
        local spectrum = tocha.randn(20):stft(8)
        local y = spectrum:istft(8, {length = 40})
        assert.equal(40, y:size(1))
        assert.equal(0, y[40]:item())
    end)
end)
