--- Convolution on the device: the engines it is offered, and the ways around them.

local tocha = require "tocha"
local check = require "tests.gpu.conv_cases"
local process = require "tests.support.process"
local with = require "tests.support.setting"

local cuda, cudnn = tocha.cuda, tocha.backends.cudnn

assert(cuda.is_available(), "these specs want a GPU, or TOCHA_HOSTGPU")

local on_host = os.getenv("TOCHA_HOSTGPU") ~= nil

--- What is wrong with the cases, in a process of their own.
local function check_under(settings, loose)
    return process.run(settings, ('print(table.concat(require "tests.gpu.conv_cases"(%s), "\\n"))'):format(loose or 1))
end

local function images()
    tocha.manual_seed(3)
    return tocha.randn(2, 8, 10, 10), tocha.randn(4, 8, 3, 3)
end

describe("convolution", function()
    it("agrees with the CPU in every layout", function()
        assert.are.same({}, check())
    end)

    it("takes relu along, or does it afterwards", function()
        tocha.manual_seed(6)
        for _, dtype in ipairs {"float16", "bfloat16", "float32", "float64"} do
            for _, groups in ipairs {1, 2, 8} do
                local x, w = tocha.randn(2, 8, 9, 7):to(dtype), tocha.randn(8, 8 // groups, 3, 3):to(dtype)
                local bias = tocha.randn(8):to(dtype)
                x[{1, 1, 1, 1}] = 0 / 0
                local options = {padding = 1, groups = groups}
                local near = dtype == "float64" and 1e-12 or dtype == "float32" and 1e-5 or 2e-2
                local function compare()
                    local there = tocha.conv_relu(x:cuda(), w:cuda(), bias:cuda(), options):cpu()
                    local here = tocha.conv_relu(x, w, bias, options)
                    assert.is_true(there:allclose(here, {rtol = near, atol = near, equal_nan = true}))
                    assert.equal(here:isnan():sum():item(), there:isnan():sum():item())
                end
                compare()
                with(cudnn, "enabled", false, compare)
                with(cudnn, "allow_tf32", true, function()
                    near = dtype == "float32" and 2e-2 or near
                    compare()
                end)
            end
        end
    end)

    it("does without cuDNN", function()
        with(cudnn, "enabled", false, function() assert.are.same({}, check()) end)
    end)

    it("rounds float32 to TF32 where that is allowed, and nowhere else", function()
        local x, w = images()
        local expected, here = tocha.conv2d(x, w), {x:cuda(), w:cuda()}
        local function off()
            return (tocha.conv2d(here[1], here[2]):cpu() - expected):abs():max():item() / expected:abs():max():item()
        end
        assert.is_true(off() < 2e-6)
        with(cudnn, "allow_tf32", true, function()
            local rounded = off()
            assert.is_true(rounded < 2e-3)
            assert.is_true(not on_host or rounded > 1e-5)
        end)
        assert.is_true(off() < 2e-6)
    end)

    it("times the engines where that is wanted", function()
        with(cudnn, "benchmark", true, function() assert.are.same({}, check()) end)
    end)

    it("says what it holds memory for when there is none, and gives all of it back", function()
        finally(function() cuda.set_memory_limit(0) end)
        local options = {device = "cuda", dtype = "float16"}
        local x, w = tocha.ones({64, 64, 64, 64}, options), tocha.ones({2, 64, 1, 1}, options)
        collectgarbage()
        collectgarbage()
        cuda.empty_cache()
        local live = cuda.memory_allocated()
        cuda.set_memory_limit(cuda.memory_reserved() + (1 << 20))
        local ok, message = pcall(tocha.conv2d, x, w, {stride = 8})
        assert.is_false(ok)
        assert.is_truthy(message:find("conv2d: out of memory: "), message)
        collectgarbage()
        collectgarbage()
        assert.are.equal(live, cuda.memory_allocated())
        cuda.set_memory_limit(0)
        assert.are.equal(2, tocha.conv2d(x, w, {stride = 8}):size(2))
    end)

    if on_host then
        it("does without engines", function()
            assert.are.equal("\n", check_under("HOSTGPU_DNN=none"))
        end)

        it("says that cuDNN is missing, and what to do", function()
            local text = process.run("HOSTGPU_MISSING=cuDNN", [[
                local tocha = require "tocha"
                local x, w = tocha.ones({1, 1, 3}, {device = "cuda"}), tocha.ones({1, 1, 2}, {device = "cuda"})
                print(pcall(tocha.conv1d, x, w))
                tocha.backends.cudnn.enabled = false
                print(tocha.conv1d(x, w):cpu() == tocha.full({1, 1, 2}, 2.0))]])
            assert.is_truthy(text:find("conv1d: cuDNN was not found: install it, .* do without"), text)
            assert.are.equal("true", text:match("(%w+)\n$"))
        end)

        it("keeps the plans of the latest shapes", function()
            local w = tocha.ones({1, 1, 2}, {device = "cuda"})
            for round = 1, 2 do
                for length = 2, 2100 do
                    local y = tocha.conv1d(tocha.full({1, 1, length}, 1.0 * round, {device = "cuda"}), w)
                    if length % 700 == 0 or length == 2 then
                        assert.is_true(y:cpu() == tocha.full({1, 1, length - 1}, 2.0 * round))
                    end
                end
            end
        end)

        it("splits the batch where images have more elements than engines count", function()
            -- Of halves, the weight's gradient is rounded once for each part.
            assert.are.equal("\n", check_under("TOCHA_GPU_CONV_ELEMENTS=200", 6))
        end)

        it("needs no luck with the order of work", function()
            assert.are.equal("\n", check_under("HOSTGPU_LAZY=1"))
        end)

        it("uses engines that give other bits each time only where that is allowed", function()
            local x, w = images()
            local expected = tocha.conv2d(x, w)
            with(cudnn, "deterministic", false, function()
                assert.is_false(tocha.conv2d(x:cuda(), w:cuda()):cpu():allclose(expected))
            end)
            assert.is_true(tocha.conv2d(x:cuda(), w:cuda()):cpu():allclose(expected, {rtol = 1e-4, atol = 1e-4}))
        end)
    end
end)

if on_host then
    describe("plans of cuDNN on disk", function()
        local folder, files

        -- With TF32, which only an engine rounds to; how far the result is from what it is without.
        local program = [[
            local tocha = require "tocha"
            tocha.backends.cudnn.allow_tf32 = true
            tocha.manual_seed(1)
            local x, w = tocha.randn(2, 3, 6, 6), tocha.randn(4, 3, 3, 3)
            local off = (tocha.conv2d(x:cuda(), w:cuda()):cpu() - tocha.conv2d(x, w)):abs():max():item()
            print(off > 1e-5 and "rounded" or "exact")]]

        local function session(settings)
            return process.run(("XDG_CACHE_HOME=%s TOCHA_CUDNN_CACHE=1 %s"):format(folder, settings or ""), program)
        end

        local function kept()
            local list = {}
            local pipe = assert(io.popen(("find %s -type f 2>/dev/null"):format(folder)))
            for name in pipe:lines() do
                list[#list + 1] = name
            end
            pipe:close()
            return list
        end

        local function rewrite(name, change)
            local file = assert(io.open(name, "rb"))
            local bytes = file:read("a")
            file:close()
            file = assert(io.open(name, "wb"))
            file:write(change(bytes))
            file:close()
        end

        before_each(function()
            folder = os.tmpname()
            os.remove(folder)
            assert.are.equal("rounded\n", session())
            files = kept()
        end)

        after_each(function()
            os.execute(("rm -rf %s"):format(folder))
        end)

        it("are used by the next session", function()
            assert.are.equal(1, #files)
            assert.is_truthy(files[1]:find("/tocha/cudnn/%x+%.plan$"))
            assert.are.equal("rounded\n", session("HOSTGPU_DNN=none"))
        end)

        it("count as not there where they are damaged, and are written anew", function()
            local changes = {
                function() return "" end,
                function(bytes) return bytes:sub(1, -2) end,
                function(bytes) return bytes:sub(1, 100) end,
                function(bytes) return bytes:sub(1, -9) .. "\0" .. bytes:sub(-7) end,
                function(bytes) return ("x"):rep(#bytes) end,
            }
            for _, change in ipairs(changes) do
                rewrite(files[1], change)
                assert.are.equal("exact\n", session("HOSTGPU_DNN=none"))
                assert.are.equal("rounded\n", session())
                assert.are.equal("rounded\n", session("HOSTGPU_DNN=none"))
            end
        end)

        it("may be done without, or have no place", function()
            os.execute(("rm -rf %s"):format(folder))
            assert.are.equal("rounded\n", session("TOCHA_CUDNN_CACHE=0"))
            assert.are.same({}, kept())
            assert(io.open(folder, "w")):close()
            assert.are.equal("rounded\n", session())
        end)
    end)
end

describe("tocha.backends.cudnn", function()
    it("has settings, of which it names those it knows", function()
        local seen = {}
        for name, value in pairs(cudnn) do
            seen[name] = value
        end
        assert.are.same({enabled = true, allow_tf32 = false, deterministic = true, benchmark = false}, seen)
        assert.has_error(function() return cudnn.speed end,
            'backends.cudnn has no setting "speed"; it has enabled, allow_tf32, deterministic, benchmark')
        assert.has_error(function() cudnn.enabled = 1 end, "backends.cudnn.enabled must be true or false, got 1")
    end)
end)
