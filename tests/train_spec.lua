local tocha = require "tocha"
local data = require "data"
local nn = require "nn"
local train = require "train"

describe("train.parse_arguments", function()
    local spec = {
        {name = "epochs", kind = "count", default = 3, help = "passes"},
        {name = "batch-size", kind = "count", help = "images"},
        {name = "seed", kind = "size", help = "seed"},
        {name = "lr", kind = "positive", value = "RATE", help = "rate"},
        {name = "save", kind = "text", value = "FILE", help = "file"},
        {name = "quiet", flag = true, help = "say nothing"},
        {name = "set", choices = {"a", "b"}, default = "a", help = "which"},
    }

    it("reads values and flags", function()
        assert.same({epochs = 3, set = "a"}, train.parse_arguments(spec, {}))
        assert.same({epochs = 7, batch_size = 2, lr = 0.5, save = "x=y", quiet = true, set = "b", seed = 0},
            train.parse_arguments(spec, {"--epochs", "7", "--batch-size=2", "--lr", "5e-1", "--save=x=y", "--quiet",
                "--set", "b", "--seed", "0"}))
        assert.is_true(train.parse_arguments(spec, {"-h", "--nonsense"}).help)
        assert.is_true(train.parse_arguments(spec, {"--help"}).help)
    end)

    it("says what is wrong in a sentence", function()
        local cases = {
            {{"--epoch"}, "unknown option --epoch; --help lists the known ones"},
            {{"epochs"}, "unknown option epochs; --help lists the known ones"},
            {{"--epochs"}, "--epochs needs a value"},
            {{"--epochs", "0"}, "--epochs must be a whole number from 1, got 0"},
            {{"--epochs", "1.5"}, "--epochs must be a whole number from 1, got 1.5"},
            {{"--epochs="}, "--epochs must be a whole number from 1, got nothing"},
            {{"--seed", "-1"}, "--seed must be a whole number from 0, got -1"},
            {{"--lr", "0"}, "--lr must be a number above 0, got 0"},
            {{"--lr", "inf"}, "--lr must be a number above 0, got inf"},
            {{"--save", ""}, "--save must be a text, got nothing"},
            {{"--quiet=1"}, "--quiet takes no value"},
            {{"--set", "c"}, "--set must be a or b, got c"},
        }
        for _, case in ipairs(cases) do
            local values, why = train.parse_arguments(spec, case[1])
            assert.is_nil(values)
            assert.equal(case[2], why)
        end
    end)

    it("describes the options", function()
        local text = train.describe_arguments(spec)
        assert.matches("  %-%-epochs N +passes\n", text)
        assert.matches("  %-%-lr RATE +rate\n", text)
        assert.matches("  %-%-quiet +say nothing\n", text)
        assert.matches("  %-%-set a|b +which\n", text)
    end)
end)

describe("metrics", function()
    local logits = tocha.tensor({{1.0, 2.0}, {3.0, 0.0}, {0.0, 1.0}, {5.0, 1.0}})
    local labels = tocha.tensor({2, 1, 1, 1})

    it("count what is right", function()
        assert.equal(3, train.count_correct(logits, labels))
        assert.equal(0.75, train.accuracy(logits, labels))
        assert.error_matches(function() train.accuracy(logits, tocha.tensor({1})) end,
            "expected logits %(n, classes%) and labels %(n%), got 4x2 and 1")
    end)

    it("evaluate a module in evaluation mode and put its mode back", function()
        local Net = nn.class("Net")
        function Net:forward(x)
            assert(not self.training and not tocha.is_grad_enabled())
            return x
        end
        local net = Net()
        local loader = data.DataLoader(data.TensorDataset(logits, labels), {batch_size = 3})
        assert.equal(0.75, train.evaluate(net, loader))
        assert.is_true(net.training)
        assert.is_true(tocha.is_grad_enabled())
        function Net.forward()
            error("broken")
        end
        assert.error_matches(function() train.evaluate(net, loader) end, "broken")
        assert.is_true(net.training)
        assert.is_true(tocha.is_grad_enabled())
    end)
end)

describe("progress", function()
    it("writes only the last line where there is no terminal", function()
        local script = 'local bar = require("train").progress(2, {label = "x"}); bar:step("n"); bar:finish("done 1")'
        local pipe = io.popen("lua5.4 -e '" .. script .. "'")
        local text = pipe:read("a")
        pipe:close()
        assert.equal("done 1\n", text)
    end)
end)

describe("scripts/train_digits.lua", function()
    local root = os.getenv("TOCHA_ROOT") or "."

    local function run(arguments)
        local pipe = io.popen(("cd '%s' && lua5.4 scripts/train_digits.lua %s 2>&1"):format(root, arguments))
        local text = pipe:read("a")
        local _, _, code = pipe:close()
        return text, code
    end

    it("learns, and twice the same with the same seed", function()
        local file = os.tmpname()
        local text, code = run("--max-steps 60 --seed 4 --save " .. file)
        assert.equal(0, code)
        assert.matches("^digits: 1438 images to learn from, 359 to test on; 151306 parameters", text)
        assert.matches("\nepoch 1/30  loss %d%.%d+  accuracy %d+%.%d+ %%  %d+%.%d s\n", text)
        local accuracy = tonumber(text:match("\ntest accuracy (%d+%.%d%d) %%\n$"))
        assert.is_true(accuracy > 80)
        local first = tocha.load(file)
        run("--max-steps 60 --seed 4 --save " .. file)
        local second = tocha.load(file)
        os.remove(file)
        local count = 0
        for name, tensor in pairs(first) do
            count = count + 1
            assert.equal(tensor:_to_string(), second[name]:_to_string())
        end
        assert.equal(8, count)
    end)

    it("ends with 2 and one sentence for bad options", function()
        for arguments, expected in pairs {
            ["--epoch 3"] = "unknown option --epoch; --help lists the known ones",
            ["--threads 5000"] = "set_num_threads: the number must be in [1, 1024], got 5000",
            ["--data x"] = "--data and --download go with --dataset mnist",
        } do
            local text, code = run(arguments)
            assert.equal(2, code)
            assert.equal("train_digits: " .. expected .. "\n", text)
        end
    end)

    it("ends with 1 and one sentence where the data is missing", function()
        local text, code = run "--dataset mnist --data /nonexistent"
        assert.equal(1, code)
        assert.matches("^train_digits: mnist: train%-images%-idx3%-ubyte%.gz was not found in /nonexistent, [^\n]*\n$",
            text)
    end)

    it("explains itself", function()
        local text, code = run "--help"
        assert.equal(0, code)
        assert.matches("usage: train_digits", text)
        assert.matches("%-%-max%-steps N", text)
    end)
end)
