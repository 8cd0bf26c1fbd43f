--- The prompt: what it answers to what is typed.
local host = require("tests.prompt.host")

local STUB = [[
local function raise(message) error(message, 4) end
local function check() raise("blame: not good") end
return {
    name = "stub",
    blame = function() check() return 1 end,
    bug = function() return (nil).x end,
    help = function(what) print("help on " .. tostring(what)) end,
}]]

describe("the prompt", function()
    local prefix

    setup(function()
        prefix = host.prefix({
            tocha = STUB,
            nn = "print('nn is loaded') return {Linear = 'a class'}",
            broken = "error('broken on purpose')",
        })
    end)

    teardown(function() prefix.remove() end)

    --- Types lines, each followed by the answer that is expected.
    local function talk(dialogue, options)
        local lines, expected = {}, {}
        for i = 1, #dialogue, 2 do
            lines[#lines + 1], expected[#expected + 1] = dialogue[i], dialogue[i + 1]
        end
        assert.same(expected, host.prompt(prefix, lines, options))
    end

    describe("prints results", function()
        it("of expressions, without = or return", function()
            talk({
                "1 + 1", "2",
                "'a' .. 'b'", "ab",
                "7 // 2, 7 / 2", "3\n3.5",
                "print('side')", "side",
                "x = 3", "",
                "x -- a comment", "3",
                "return x + 1", "4",
            })
        end)

        it("on a line each, and nil only beside others", function()
            talk({
                "nil", "",
                "(function() end)()", "",
                "nil, nil", "",
                "1, nil, 'x'", "1\nnil\nx",
                "false", "false",
                "pcall(error)", "false\nnil",
            })
        end)

        it("in _, which keeps the last one that was printed", function()
            talk({
                "20 + 1", "21",
                "_ * 2", "42",
                "y = 5", "",
                "nil", "",
                "_", "42",
                "for _ = 1, 2 do end", "",
                "_ + 1, 'second'", "43\nsecond",
                "_", "43",
            })
        end)

        it("through tostring, whose errors it survives", function()
            talk({
                "setmetatable({}, {__tostring = function() return 'mine' end})", "mine",
                "setmetatable({}, {__tostring = function() error('no') end})",
                "<table: error in __tostring: prompt:1: no>",
                "setmetatable({}, {__tostring = function() return {} end})",
                "<table: error in __tostring: '__tostring' must return a string>",
                "1", "1",
            })
        end)

        it("of many values", function()
            local answers = host.prompt(prefix, {"table.unpack({}, 1, 900000)", "select('#', table.unpack({}, 1, 9))"})
            assert.same({"", "9"}, answers)
            answers = host.prompt(prefix, {"string.byte(('x'):rep(300), 1, -1)", "1"})
            assert.equal(("120\n"):rep(300), answers[1] .. "\n")
            assert.equal("1", answers[2])
        end)
    end)

    describe("prints tables", function()
        it("on one line where they fit", function()
            talk({
                "{}", "{}",
                "{1, 2.5, 'x', true, {nil, 2}}", '{1, 2.5, "x", true, {nil, 2}}',
                "{b = 1, a = {c = 'd'}, ['e f'] = 2, ['end'] = 3, [10] = 4, [1.5] = 5, [true] = 6}",
                '{[1.5] = 5, [10] = 4, a = {c = "d"}, b = 1, ["e f"] = 2, ["end"] = 3, [true] = 6}',
                "{10, 20, n = 2}", "{10, 20, n = 2}",
                "{print, f = function() end}", "{function, f = function}",
                [[{'a"b\\c\n\0é'}]], [[{"a\"b\\c\n\000é"}]],
            })
        end)

        it("over several lines where they do not", function()
            talk({
                "{alpha = ('a'):rep(60), beta = ('b'):rep(60)}",
                ('{\n  alpha = "%s",\n  beta = "%s",\n}'):format(("a"):rep(60), ("b"):rep(60)),
                "{x = {('a'):rep(60), ('b'):rep(60)}}",
                ('{\n  x = {\n    "%s",\n    "%s",\n  },\n}'):format(("a"):rep(60), ("b"):rep(60)),
                "t = {} for i = 1, 40 do t[i] = 1000 + i end", "",
                "t", "{\n  1001, 1002, 1003, 1004, 1005, 1006, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, " ..
                "1015, 1016, 1017, 1018, 1019,\n  1020, 1021, 1022, 1023, 1024, 1025, 1026, 1027, 1028, 1029, 1030, " ..
                "1031, 1032, 1033, 1034, 1035, 1036, 1037, 1038,\n  1039, 1040,\n}",
            })
        end)

        it("with cycles, but a table twice where it is there twice", function()
            talk({
                "t = {1}; t.me = t", "",
                "t", "{1, me = <cycle>}",
                "s = {5}", "",
                "{s, s}", "{{5}, {5}}",
                "a = {}; b = {a = a}; a.b = b", "",
                "a", "{b = {a = <cycle>}}",
            })
        end)

        it("cut where they are long or deep, with a count", function()
            local answers = host.prompt(prefix, {
                "t = {} for i = 1, 1000 do t[i] = i end", "t",
                "t = {} for i = 1, 70 do t[('k%02d'):format(i)] = i end", "t",
                "{{{{{{{1}}}}}}}",
                "{('x'):rep(300)}",
            })
            assert.matches("^{\n  1, 2, 3, .* 50,\n  %.%.%. 950 more\n}$", answers[2])
            assert.matches("^{\n  k01 = 1,\n  k02 = 2,\n.*  k50 = 50,\n  %.%.%. 20 more\n}$", answers[4])
            assert.equal("{{{{{{...}}}}}}", answers[5])
            assert.equal(('{\n  "%s"... (300 bytes),\n}'):format(("x"):rep(200)), answers[6])
        end)

        it("with what says itself inside, indented", function()
            talk({
                "m = setmetatable({}, {__tostring = function() return '1 2\\n3 4' end})", "",
                "{m, a = {b = m}}", "{\n  1 2\n  3 4,\n  a = {\n    b = 1 2\n    3 4,\n  },\n}",
                "{setmetatable({}, {__tostring = error})}", "{<table: error in __tostring>}",
            })
        end)

        it("of the whole environment without end or harm", function()
            local answers = host.prompt(prefix, {"_G", "package.loaded", "1"})
            assert.matches("_G = <cycle>", answers[1])
            assert.equal("1", answers[3])
        end)
    end)

    describe("reads", function()
        it("several lines until they are a chunk", function()
            talk({
                "for i = 1, 2 do", "",
                "print(i)", "",
                "", "",
                "end", "1\n2",
                "function f(x)", "",
                "  return x * 2 end", "",
                "f(4)", "8",
                "s = [[one", "",
                "two]]", "",
                "s", "one\ntwo",
                "if nil then", "",
                "else print('else') end", "else",
            })
        end)

        it("expressions of several lines", function()
            talk({
                "{1,", "",
                "2}", "{1, 2}",
                "f = function()", "",
                "  return 3", "",
                "end", "",
                "(f", "",
                "())", "3",
                "math.max(1,", "",
                "5)", "5",
            })
        end)

        it("blank lines and comments without a word", function()
            talk({"", "", "   ", "", "-- nothing", "", "--[[ more", "", "]] 5", "5"})
        end)

        it("syntax errors as what they are", function()
            talk({
                "x x", "prompt:1: syntax error near 'x'",
                "= 1", "prompt:1: unexpected symbol near '='",
                "f(1,,2)", "prompt:1: unexpected symbol near ','",
                "for i = 1 do end", "prompt:1: ',' expected near 'do'",
                "1 2", "prompt:1: unexpected symbol near '1'",
                "goto nowhere", "prompt:1: no visible label 'nowhere' for <goto> at line 1",
                "1", "1",
            })
        end)

        it("binary chunks as rubbish", function()
            talk({"load(string.dump(function() return 7 end))()", "7"})
        end)
    end)

    describe("keeps", function()
        it("what was a local on an earlier line", function()
            talk({
                "local a, b = 1, 2", "",
                "a + b", "3",
                "local function fact(n) return n < 2 and 1 or n * fact(n - 1) end", "",
                "fact(5)", "120",
                "local c <const> = a + 1; local d = c * 10", "",
                "c, d", "2\n20",
                "a = a + 10", "",
                "a, rawget(_G, 'a')", "11\nnil",
                "local n = 0; function count() n = n + 1 return n end", "",
                "count(), count(), n", "1\n2\n2",
                "for i = 1, 2 do local inner = i end", "",
                "inner", "",
                "do local hidden = 1 end", "",
                "hidden", "",
                "local e", "",
                "e", "",
                "local a = a * 2", "",
                "a", "22",
            })
        end)

        it("such names away from the globals", function()
            talk({
                "local type, error = 'relu', 5", "",
                "type, error", "relu\n5",
                "_G.type(1), rawget(_G, 'type') == type", "number\nfalse",
                "load('return type(1)')()", "number",
                "local type = nil", "",
                "type(1)", "number",
            })
        end)

        it("globals where all see them", function()
            talk({
                "g = 7", "",
                "rawget(_G, 'g'), load('return g')()", "7\n7",
                "mt = getmetatable(_G)", "",
                "mt.__newindex = function(t, k, v) rawset(t, k, v * 2) end", "",
                "h = 4", "",
                "h", "8",
            })
        end)

        it("variables to be closed until the end of the line", function()
            talk({
                "local x <close> = setmetatable({}, {__close = function() print('closed') end}) print('open')",
                "open\nclosed",
                "x", "",
            })
        end)
    end)

    describe("shows errors", function()
        it("of a line as their message alone", function()
            talk({
                "error('no', 0)", "no",
                "error('no')", "prompt:1: no",
                "nothing.x", "prompt:1: attempt to index a nil value (global 'nothing')",
                "assert(false, 'said')", "prompt:1: said",
                "assert(nil)", "prompt:1: assertion failed!",
            })
        end)

        it("with a traceback that ends at the user's code", function()
            talk({
                "function f() return g.x end", "",
                "function h() return (f()) end", "",
                "h()", "prompt:1: attempt to index a nil value (global 'g')\nstack traceback:\n" ..
                "\tprompt:1: in function 'f'\n\tprompt:1: in function 'h'\n\tprompt:1: in main chunk",
                "function k() string.rep() end", "",
                "k()", "prompt:1: bad argument #1 to 'rep' (string expected, got no value)\n" ..
                "stack traceback:\n\tprompt:1: in function 'k'\n\tprompt:1: in main chunk",
                "string.rep()", "prompt:1: bad argument #1 to 'rep' (string expected, got no value)",
                "table.sort({3, 2, 1}, function(a, b) error('cmp') end)",
                "prompt:1: cmp\nstack traceback:\n\tprompt:1: in function <prompt:1>\n" ..
                "\t[C]: in function 'table.sort'\n\tprompt:1: in main chunk",
            })
        end)

        it("at the line that was typed when a function blames its caller", function()
            talk({
                "function check()", "",
                "error('blame', 2) end", "",
                "check()", "prompt:1: blame",
                "function user() check() end", "",
                "user()", "prompt:1: blame\nstack traceback:\n\tprompt:1: in function 'user'\n" ..
                "\tprompt:1: in main chunk",
            })
        end)

        it("of the library without its own frames, where it blames the user's line", function()
            talk({
                "function user() tocha.blame() end", "",
                "user()", "prompt:1: blame: not good\nstack traceback:\n\tprompt:1: in function 'user'\n" ..
                "\tprompt:1: in main chunk",
                "tocha.blame()", "prompt:1: blame: not good",
            })
            local answers = host.prompt(prefix, {"tocha.bug()"})
            assert.matches("^[^\n]*/init.lua:%d+: attempt to .*\nstack traceback:\n\t[^\n]*/init.lua:%d+: in .*\n" ..
                "\tprompt:1: in main chunk$", answers[1])
        end)

        it("of any type", function()
            talk({
                "error({code = 2})", "{code = 2}",
                "error()", "nil",
                "error(12)", "12",
                "error(setmetatable({}, {__tostring = function() return 'speaks' end}))", "speaks",
                "error(setmetatable({}, {__tostring = function() error('worse') end}))",
                "<table: error in __tostring: prompt:1: worse>",
            })
        end)

        it("of coroutines and of endless recursion", function()
            local answers = host.prompt(prefix, {
                "coroutine.wrap(function() error('co', 0) end)()",
                "function r() return 1 + r() end", "r()", "1",
            })
            assert.equal("prompt:1: co", answers[1])
            assert.matches("^prompt:1: stack overflow.*stack traceback:.*skipping %d+ levels.*in main chunk$",
                answers[3])
            assert.equal("1", answers[4])
        end)

        it("of memory, and goes on", function()
            local out, err, code = host.run(prefix, "-i", {
                limited = true, input = "s = string.rep('x', 1 << 30)\nt = {} for i = 1, 10 do t[i] = i end\n#t\n",
            })
            assert.equal("not enough memory\n", err)
            assert.matches("> > > 10\n> \n$", out)
            assert.equal(0, code)
        end)
    end)

    describe("has", function()
        it("the library as globals, loaded when they are used", function()
            talk({
                "tocha.name", "stub",
                "rawget(_G, 'tocha') ~= nil, rawget(_G, 'nn')", "true\nnil",
                "nn.Linear", "nn is loaded\na class",
                "nn == require('nn')", "true",
                "help('sum')", "help on sum",
                "nn = 5", "",
                "nn", "5",
                "unknown_name", "",
            })
        end)

        it("one clear error where a library is missing", function()
            local answers = host.prompt(prefix, {"optim", "1"})
            assert.matches("module 'optim' not found", answers[1])
            assert.equal("1", answers[2])
        end)

        it("a greeting of one line", function()
            local seen = host.talk(prefix, "", {})
            assert.matches("^Tocha %d+%.%d+%.%d+, Lua 5%.4%.%d+\n> $", seen[1])
        end)

        it("prompts of the user's choice", function()
            local seen = host.talk(prefix, "", {
                {"_PROMPT = 'me: '; _PROMPT2 = '... '\r", "\\nme: $"},
                {"1 +\r", "\\n\\.\\.\\. $"},
                {"1\r", "\\n2\\r\\nme: $"},
            })
            assert.equal(5, #seen)
        end)
    end)

    describe("without the library", function()
        it("is a plain Lua prompt that says so in one line", function()
            local plain = host.prefix({})
            local seen = host.talk(plain, "", {"1 + 1", "tocha", "nn"})
            plain.remove()
            assert.matches("^Tocha [^\n]*\ntocha: the library is not available %(module 'tocha' not found%): " ..
                "this is a plain Lua prompt\n> $", seen[1])
            assert.same({"2", "", ""}, {host.answer(seen[2]), host.answer(seen[3]), host.answer(seen[4])})
        end)

        it("names the reason where a part of it cannot be loaded", function()
            local cut = host.prefix({tocha = "return require('tocha.core')"})
            os.execute(("mkdir -p %s/lib/tocha && echo rubbish > %s/lib/tocha/core.so"):format(cut.root, cut.root))
            local seen = host.talk(cut, "", {"1 + 1"})
            cut.remove()
            assert.matches("^[^\n]*\ntocha: the library is not available %(error loading module 'tocha.core' from " ..
                "file '[^\n]*': [^\n]*core.so: [^\n]*%): this is a plain Lua prompt\n> $", seen[1])
        end)
    end)

    describe("opens", function()
        it("after a script with -i, with what the script left", function()
            host.write_file(prefix.root .. "/s.lua", "x = 5 print('ran', ...)")
            local seen = host.talk(prefix, "-i s.lua a", {"x, arg[1]", "tocha.name"})
            assert.matches("^ran\ta\nTocha ", seen[1])
            assert.equal("5\na", host.answer(seen[2]))
            assert.equal("stub", host.answer(seen[3]))
        end)

        it("after a script with -i that failed", function()
            host.write_file(prefix.root .. "/s.lua", "x = 5 error('half-way')")
            local seen = host.talk(prefix, "-i s.lua", {"x"})
            assert.matches("^tocha: s.lua:1: half%-way\n.*\nTocha ", seen[1])
            assert.equal("5", host.answer(seen[2]))
        end)

        it("after a piece of code with -i", function()
            local seen = host.talk(prefix, "-i -e 'y = tocha.name'", {"y"})
            assert.equal("stub", host.answer(seen[2]))
        end)

        it("on standard input that is no terminal with -i", function()
            local input = "1 + 1\nfor i = 1, 2 do\nprint(i)\nend\nerror('e')"
            local out, err, code = host.run(prefix, "-i", {input = input})
            assert.matches("\n> 2\n> >> >> 1\n2\n> > \n$", out)
            assert.equal("prompt:1: e\n", err)
            assert.equal(0, code)
        end)
    end)

    describe("is left", function()
        it("with exit() and quit(), with a status", function()
            local _, status = host.talk(prefix, "", {{"exit()\r"}}, {last = false})
            assert.equal("0 0", status)
            _, status = host.talk(prefix, "", {{"quit(3)\r"}}, {last = false})
            assert.equal("0 3", status)
            _, status = host.talk(prefix, "", {{"exit(false)\r"}}, {last = false})
            assert.equal("0 1", status)
        end)

        it("with the words exit and quit", function()
            local _, status = host.talk(prefix, "", {"1", {"exit\r"}}, {last = false})
            assert.equal("0 0", status)
            _, status = host.talk(prefix, "", {{"quit\r"}}, {last = false})
            assert.equal("0 0", status)
            local seen = host.talk(prefix, "", {"exit = 5", "exit"})
            assert.equal("5", host.answer(seen[3]))
        end)

        it("with os.exit, also in a coroutine", function()
            local _, status = host.talk(prefix, "", {{"os.exit(4, true)\r"}}, {last = false})
            assert.equal("0 4", status)
            _, status = host.talk(prefix, "", {{"coroutine.wrap(function() exit(5) end)()\r"}}, {last = false})
            assert.equal("0 5", status)
        end)

        it("with what is open closed", function()
            local path = prefix.root .. "/written"
            local write = ("f = io.open('%s', 'w'); f:write('kept')"):format(path)
            host.talk(prefix, "", {write, {"exit()\r"}}, {last = false})
            assert.equal("kept", host.read_file(path))
        end)

        it("at the end of input, which ends an unfinished chunk with an error", function()
            local seen, status = host.talk(prefix, "", {"f(", {"\4", host.PROMPT}, "1 + 1"})
            assert.matches("prompt:1: unexpected symbol near <eof>", seen[3])
            assert.equal("2", host.answer(seen[4]))
            assert.equal("0 0", status)
        end)
    end)
end)
