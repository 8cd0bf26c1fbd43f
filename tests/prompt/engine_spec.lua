--- The prompt with the engine itself.
local host = require("tests.prompt.host")

describe("the prompt with the engine", function()
    local prefix

    -- The program under test, in its own tree, where it finds the engine; the folder is for its files only.
    setup(function()
        prefix = host.prefix()
        prefix.program = host.capture("realpath " .. host.quote(host.program)):gsub("\n$", "")
    end)

    teardown(function() prefix.remove() end)

    it("computes, prints and explains", function()
        local answers = host.prompt(prefix, {
            "x = tocha.tensor({{1, 2}, {3, 4}})",
            "x",
            "(x + 1):sum():item(), x.shape",
            "{x, n = 1}",
            "help(x.sum)",
            "nn.Linear(2, 3)",
            "local y = tocha.ones(2):requires_grad_()",
            "(y * y):sum():backward()",
            "y.grad",
        })
        assert.equal("tensor({{1, 2},\n        {3, 4}}, int64)", answers[2])
        assert.equal("14\n2x2", answers[3])
        assert.equal("{\n  tensor({{1, 2},\n          {3, 4}}, int64),\n  n = 1,\n}", answers[4])
        assert.matches("^sum%(", answers[5])
        assert.matches("Linear", answers[6])
        assert.equal("tensor({2, 2})", answers[9])
    end)

    it("shows an operator's error as one line that blames the user's", function()
        local answers = host.prompt(prefix, {
            "tocha.ones(2):sum(7)",
            "function f(x) return x:matmul(tocha.ones(7)) end", "f(tocha.ones(2, 3))",
            "tocha.ones(2):nothing()",
        })
        assert.matches("^prompt:1: sum: [^\n]*$", answers[1])
        assert.matches("^prompt:1: matmul: [^\n]*\nstack traceback:\n\tprompt:1: in [^\n]*'f'\n" ..
            "\tprompt:1: in main chunk$", answers[3])
        assert.matches("^prompt:1: [^\n]*'nothing'[^\n]*$", answers[4])
    end)

    it("completes operators, tensors' methods and the libraries", function()
        for typed, expected in pairs({
            ["tocha.manual_s"] = "tocha.manual_seed(", ["x:argma"] = "x:argmax(", ["nn.Cross"] = "nn.CrossEntropyLoss",
        }) do
            local seen = host.talk(prefix, "", {
                "x = tocha.ones(2)", {typed .. "\t$$", (expected .. "$$"):gsub("%p", "\\%0")}, {"\3", host.PROMPT},
            })
            assert.equal(5, #seen)
        end
    end)

    it("interrupts a long backward pass and keeps everything", function()
        local seen = host.talk(prefix, "", {
            "x = tocha.randn(300, 300):requires_grad_(); y = x",
            "for i = 1, 500 do y = y:matmul(x):tanh() end l = y:sum()",
            {"io.write('run' .. 'ning\\n') l:backward()\r", "\\nrunning"},
            {"\3", host.PROMPT},
            "x.grad, tostring(x.shape)",
            "z = tocha.ones(2):requires_grad_(); (z * 3):sum():backward()",
            "z.grad",
        })
        assert.matches("interrupted\n", seen[5])
        -- Had it ended by itself, the gradient would be there.
        assert.equal("nil\n300x300", host.answer(seen[6]))
        assert.equal("tensor({3, 3})", host.answer(seen[8]))
    end)

    it("interrupts a script in a long backward pass with status 130", function()
        host.write_file(prefix.root .. "/s.lua", [[
            local tocha = require "tocha"
            local x = tocha.randn(300, 300):requires_grad_()
            local y = x
            for i = 1, 500 do y = y:matmul(x):tanh() end
            local loss = y:sum()
            print("running")
            loss:backward()]])
        local seen, status = host.talk(prefix, "s.lua", {{"\3", "traceback"}}, {first = "running", last = false})
        assert.matches("s.lua:7: [^\n]*interrupted\n", table.concat(seen))
        assert.equal("0 130", status)
    end)
end)
