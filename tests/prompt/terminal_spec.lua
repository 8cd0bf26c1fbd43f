--- The prompt at a terminal: keys, completion, history, Ctrl-C, colour.
local host = require("tests.prompt.host")

local PROMPT = host.PROMPT
local CTRL_A, CTRL_C, CTRL_D, CTRL_P, CTRL_R, CTRL_Z, TAB = "\1", "\3", "\4", "\16", "\18", "\26", "\t"

local STUB = [[
local methods = {add = print, add_ = print, sum = print, _hidden = print, number = 1}
io.stdout:setvbuf("no")
return {
    zeros = print, zeros_like = print, version = "1", _private = 1, linalg = {inverse = print},
    tensor = function()
        return setmetatable({}, {
            __methods = methods,
            __index = function(_, key) print("__index called with " .. key) return methods[key] end,
        })
    end,
}]]

describe("the terminal", function()
    local prefix

    setup(function()
        prefix = host.prefix({tocha = STUB, nn = "return {Linear = print, Conv2d = 1}", train = "error('cannot load')"})
        os.execute(("mkdir -p %s/folder/inner && touch %s/folder/one-file.lua %s/folder/.dot"):format(
            prefix.root, prefix.root, prefix.root))
    end)

    teardown(function() prefix.remove() end)

    describe("completes", function()
        --- Types lines, then some text and Tab, then Ctrl-C; the line must have become `expected`.
        local function completes(typed, expected, before)
            local steps = {}
            for i, line in ipairs(before or {}) do steps[i] = line end
            -- What is typed after Tab shows that Tab added nothing more.
            steps[#steps + 1] = {typed .. TAB .. "$$", ((expected .. "$$"):gsub("%p", "\\%0"))}
            steps[#steps + 1] = {CTRL_C, PROMPT}
            local ok, message = pcall(host.talk, prefix, "", steps)
            assert(ok, message)
        end

        it("globals, keywords and libraries", function()
            completes("setm", "setmetatable(")
            completes("x = setm", "x = setmetatable(")
            completes("repea", "repeat")
            completes("toc", "tocha")
            completes("opti", "optim")
            completes("my_gl", "my_global", {"my_global = 1"})
            completes("my_loc", "my_local", {"local my_local = 1"})
            completes("zzz", "zzz")
        end)

        it("fields, through several steps and literal indices", function()
            completes("string.for", "string.format(")
            completes("print(tocha.lin", "print(tocha.linalg")
            completes("tocha.linalg.inv", "tocha.linalg.inverse(")
            completes("1 + tocha.linalg . inv", "1 + tocha.linalg . inverse(")
            completes("t[2].alp", "t[2].alpha", {"t = {1, {alpha = 1}}"})
            completes("t['a b'].bet", "t['a b'].beta", {"t = {['a b'] = {beta = 1}}"})
            completes("'x' .. tocha.ver", "'x' .. tocha.version")
            completes("nothing.f", "nothing.f")
            completes("nothing.at.all", "nothing.at.all")
        end)

        it("what is inherited, and methods alone after a colon", function()
            local class = {"base = {greet = print, level = 1}; obj = setmetatable({}, {__index = base})"}
            completes("obj.gre", "obj.greet(", class)
            completes("obj.lev", "obj.level", class)
            completes("obj:gre", "obj:greet(", class)
            completes("obj:lev", "obj:lev", class)
            completes("s:upp", "s:upper(", {"s = 'text'"})
        end)

        it("a tensor's methods without calling its __index", function()
            local tensor = {"x = tocha.tensor()"}
            completes("x:su", "x:sum(", tensor)
            completes("x.num", "x.number", tensor)
            completes("x.grad.su", "x.grad.su", tensor)
        end)

        it("a library that is not loaded yet, and none that cannot be", function()
            completes("nn.Lin", "nn.Linear(")
            completes("train.f", "train.f")
        end)

        it("file names inside strings", function()
            completes("io.open('fol", "io.open('folder/")
            completes("io.open('folder/on", "io.open('folder/one-file.lua'")
            completes('dofile "folder/inn', 'dofile "folder/inner/')
            completes("f('folder/.d", "f('folder/.dot'")
            completes("f('nowhere/x", "f('nowhere/x")
        end)

        it("nothing in comments and numbers", function()
            completes("-- setm", "-- setm")
            completes("x = 12", "x = 12")
        end)

        it("with a list of candidates at the second Tab, without the internal ones", function()
            local seen = host.talk(prefix, "", {{"tocha." .. TAB .. TAB, "zeros_like"}, {CTRL_C, PROMPT}})
            local list = seen[2] .. seen[3]
            for _, name in ipairs({"linalg", "tensor", "version", "zeros", "zeros_like"}) do
                assert.matches("%f[%w]" .. name .. "%f[%W]", list)
            end
            assert.not_matches("_private", list)
            completes("tocha._p", "tocha._private")
        end)

        it("safely whatever the values are", function()
            local hostile = {
                "a = {}; setmetatable(a, {__index = a})",
                "b = setmetatable({}, {__index = function() while true do end end, __metatable = false})",
                "c = setmetatable({}, {__index = 'text', __methods = 5})",
                "d = {[1] = 1, [true] = 2, ['not a name'] = 3, ['end'] = 4, dog = 5}",
                "e = setmetatable({}, {__index = function() error('called') end, __pairs = error, __len = error})",
            }
            completes("a.x", "a.x", hostile)
            completes("b.x", "b.x", hostile)
            completes("c.x", "c.x", hostile)
            completes("d.d", "d.dog", hostile)
            completes("d.e", "d.e", hostile)
            completes("e:x", "e:x", hostile)
        end)

        it("nothing at the start of a line, where Tab indents", function()
            local seen = host.talk(prefix, "", {"do", {TAB .. "x = 5", "    x = 5"}, {" end\r", PROMPT}, "x"})
            assert.equal("5", host.answer(seen[5]))
        end)
    end)

    describe("edits and remembers", function()
        local function history() return host.read_file(prefix.root .. "/history") end

        before_each(function() os.remove(prefix.root .. "/history") end)

        it("lines of this session", function()
            local seen = host.talk(prefix, "", {
                "40 + 2", {CTRL_P, "40 \\+ 2"}, {CTRL_A .. "1\r", "\\n142[\\r\\n]+> $"},
            })
            assert.equal(5, #seen)
        end)

        it("lines of earlier sessions, to be searched", function()
            host.talk(prefix, "", {"first = 'found'", "second = 2"})
            local seen = host.talk(prefix, "", {{CTRL_R .. "fou", "found"}, {"\r", PROMPT}, "first"})
            assert.equal("found", host.answer(seen[4]))
        end)

        it("chunks of several lines as one", function()
            host.talk(prefix, "", {"for i = 1, 2 do", "print('turn', i)", "end"})
            local seen = host.talk(prefix, "", {{CTRL_P, "for"}, {"\r", "turn\\t?\\s*2[\\r\\n]+> $"}})
            assert.matches("turn%s+1\n", seen[3])
        end)

        it("a line once that is typed twice, and no line that was dropped", function()
            host.talk(prefix, "", {"1", "1", {"dropped" .. CTRL_C, PROMPT}, "2"})
            local _, ones = history():gsub("\n1\n", "")
            assert.equal(1, ones)
            assert.not_matches("dropped", history())
            assert.matches("\n2\n", history())
        end)

        it("in a file that only the user may read", function()
            host.talk(prefix, "", {"1"})
            assert.equal("600\n", (host.capture(("stat -c %%a %s/history"):format(prefix.root))))
        end)

        it("in the place that the XDG variables and HOME give", function()
            host.talk(prefix, "", {"'at home'"}, {env = {TOCHA_HISTORY = false}})
            assert.matches("at home", host.read_file(prefix.root .. "/home/.local/state/tocha/history"))
            host.talk(prefix, "", {"'in xdg'"}, {env = {
                TOCHA_HISTORY = false, XDG_STATE_HOME = prefix.root .. "/xdg",
            }})
            assert.matches("in xdg", host.read_file(prefix.root .. "/xdg/tocha/history"))
        end)

        it("silently nothing where the file cannot be written", function()
            for _, path in ipairs({"", "/proc/nothing/history", prefix.root, "/dev/full"}) do
                local seen = host.talk(prefix, "", {"1 + 1"}, {env = {TOCHA_HISTORY = path}})
                assert.matches("^Tocha [^\n]*\n> $", seen[1])
                assert.equal("2", host.answer(seen[2]))
            end
        end)

        it("not more than ten thousand entries", function()
            local lines = {}
            for i = 1, 120000 do lines[i] = ("x%08d"):format(i) end
            host.write_file(prefix.root .. "/history", table.concat(lines, "\n") .. "\n")
            local seen = host.talk(prefix, "", {{CTRL_P, "x00120000"}, {CTRL_C, PROMPT}})
            assert.equal(4, #seen)
            local _, count = history():gsub("\n", "")
            assert.is_true(count <= 10000, count)
        end)
    end)

    describe("Ctrl-C", function()
        -- The code prints this marker at the @, so that the key cannot come too early.
        local MARK = "io.write('run' .. 'ning\\n') "

        local function interrupts(code, ...)
            if not code:find("@") then code = "@" .. code end
            local steps = {"kept = 'kept'", {code:gsub("@", MARK) .. "\r", "\\nrunning"}}
            for _, step in ipairs({...}) do steps[#steps + 1] = step end
            steps[#steps + 1] = {CTRL_C, PROMPT}
            steps[#steps + 1] = "kept"
            local seen = host.talk(prefix, "", steps)
            assert.equal("kept", host.answer(seen[#seen - 1]))
            return seen[#seen - 2]
        end

        it("drops the line that is being typed", function()
            local seen = host.talk(prefix, "", {{"error('not run')" .. CTRL_C, PROMPT}, "1 + 1"})
            assert.matches("%^C\n> $", seen[2])
            assert.equal("2", host.answer(seen[3]))
        end)

        it("drops an unfinished chunk", function()
            local seen = host.talk(prefix, "", {"for i = 1, 2 do", {CTRL_C, "\\n> $"}, "3"})
            assert.equal("3", host.answer(seen[4]))
        end)

        it("ends a search in the history", function()
            local seen = host.talk(prefix, "", {"1 + 4", {CTRL_R .. "1", "1 \\+ 4"}, {CTRL_C, PROMPT}, "2"})
            assert.equal("2", host.answer(seen[5]))
        end)

        it("interrupts a loop, and all stays as it was", function()
            assert.matches("\nprompt:1: interrupted\n> $", interrupts("while true do end"))
            local seen = interrupts("function f() @while true do end end f()")
            assert.matches("\nprompt:1: interrupted\nstack traceback:\n\tprompt:1: in function 'f'\n", seen)
            assert.matches("interrupted\n", interrupts("goto on ::on:: goto on"))
        end)

        it("interrupts coroutines, however they were entered", function()
            for _, code in ipairs({
                "coroutine.wrap(function() while true do end end)()",
                "co = coroutine.create(function() while true do end end) print(coroutine.resume(co))",
                "coroutine.wrap(function() coroutine.wrap(function() while true do end end)() end)()",
                "for _ in coroutine.wrap(function() coroutine.yield(1) while true do end end) do end",
                "co = coroutine.create(function() local x <close> = setmetatable({}, {__close = function() " ..
                    "while true do end end}) coroutine.yield() end) coroutine.resume(co) print(coroutine.close(co))",
            }) do
                assert.matches("prompt:1: interrupted\n", interrupts(code))
            end
        end)

        it("interrupts the main chunk after coroutines ran", function()
            assert.matches("interrupted\n", interrupts(
                "g = coroutine.wrap(function() while true do coroutine.yield() end end) while true do g() end"))
            assert.matches("interrupted\n", interrupts(
                "while true do pcall(coroutine.wrap(function() @while true do end end)) end",
                {CTRL_C, "Crunning"}))
        end)

        it("can be caught once, and not when it is pressed again", function()
            local seen = interrupts("ok, m = pcall(function() @while true do end end) print('caught', ok, m) " ..
                "while true do pcall(function() while true do end end) end", {CTRL_C, "caught"})
            assert.matches("prompt:1: interrupted\n", seen)
        end)

        it("interrupts a sort, a substitution and a wait for input", function()
            assert.matches("interrupted\n", interrupts(
                "t = {} for i = 1, 1e6 do t[i] = 0 end " ..
                    "while true do table.sort(t, function(a, b) return a < b end) end"))
            assert.matches("interrupted\n", interrupts("io.read() x = 1"))
        end)

        it("interrupts a __tostring that does not end", function()
            local endless = "setmetatable({}, {__tostring = function() print('run' .. 'ning') while true do end end})\r"
            local seen = host.talk(prefix, "", {
                {endless, "\\nrunning"},
                {CTRL_C, PROMPT}, "1 + 1",
            })
            assert.matches("error in __tostring: prompt:1: interrupted", seen[3])
            assert.equal("2", host.answer(seen[4]))
        end)

        it("does not disturb what runs later", function()
            local seen = host.talk(prefix, "", {
                {CTRL_C, PROMPT}, {CTRL_C, PROMPT},
                "for i = 1, 1e5 do end print('whole')",
                {MARK .. "x = io.read()\r", "\\nrunning"}, {"typed\r", PROMPT}, "x",
            })
            assert.equal("whole", host.answer(seen[4]))
            assert.equal("typed", host.answer(seen[7]))
        end)

        it("leaves a hook of the user alone while none is pressed", function()
            local seen = host.talk(prefix, "", {
                "n = 0; debug.sethook(function() n = n + 1 end, '', 1000)", "for i = 1, 1e6 do end", "n > 100",
            })
            assert.equal("true", host.answer(seen[4]))
        end)
    end)

    describe("is left as it was", function()
        local function settings(steps)
            host.write_file(prefix.root .. "/stty.sh", ("stty -a > before; %s; stty -a > after"):format(prefix.program))
            host.talk(prefix, "stty.sh", steps, {program = "sh"})
            return host.read_file(prefix.root .. "/before"), host.read_file(prefix.root .. "/after")
        end

        it("by Ctrl-D, exit and an end in the middle of a line", function()
            for _, steps in ipairs({{"1"}, {{"exit()\r"}}, {{"abc" .. CTRL_C, PROMPT}}}) do
                local before, after = settings(steps)
                assert.matches("icanon", before)
                assert.equal(before, after)
            end
        end)

        it("by a signal that ends the program", function()
            host.write_file(prefix.root .. "/kill.sh", ("stty -a > before; %s; stty -a > after; echo gone"):format(
                prefix.program))
            host.talk(prefix, "kill.sh", {
                "pid = io.open('/proc/self/stat'):read('n')",
                "pid = pid and os.execute('(sleep 0.3; kill -TERM ' .. pid .. ') &') and pid",
                {"half a li", "gone"},
            }, {program = "sh", last = false})
            assert.equal(host.read_file(prefix.root .. "/before"), host.read_file(prefix.root .. "/after"))
        end)

        it("by Ctrl-Z, and goes on afterwards", function()
            host.write_file(prefix.root .. "/rc", "PS1='shell: '\n")
            local seen = host.talk(prefix, "--noediting --rcfile rc -i", {
                {"stty -a > before\r", "shell: $"},
                {prefix.program .. "\r", "\\n> $"},
                {"1 + ", "1 \\+ "},
                {CTRL_Z, "Stopped[^\\n]*\\n(.*\\n)?shell: $"},
                {"stty -a > after\r", "shell: $"},
                {"fg\r", "1 \\+ "},
                {"41\r", "\\n42[\\r\\n]+> $"},
                {CTRL_D, "shell: $"},
            }, {program = "bash", first = "shell: $", last = "exit\r"})
            assert.equal(10, #seen)
            assert.equal(host.read_file(prefix.root .. "/before"), host.read_file(prefix.root .. "/after"))
        end)
    end)

    describe("shows errors", function()
        it("in colour where the terminal has it", function()
            local seen = host.talk(prefix, "", {"error('no', 0)"}, {env = {TERM = "xterm"}})
            assert.matches("\27%[31mno\27%[0m\n", seen[2])
        end)

        it("plainly where it has none, or the user wants none", function()
            for _, env in ipairs({{TERM = "dumb"}, {TERM = "xterm", NO_COLOR = "1"}}) do
                local seen = host.talk(prefix, "", {"error('no', 0)"}, {env = env})
                assert.matches("\nno\n", seen[2])
                assert.not_matches("\27%[31m", seen[2])
            end
        end)

        it("plainly in a file", function()
            local _, err = host.run(prefix, "-e 'error(\"no\", 0)'", {env = {TERM = "xterm"}})
            assert.equal("tocha: no\nstack traceback:\n\t(command line):1: in main chunk\n", err)
        end)
    end)

    it("takes a paste of several lines as one chunk", function()
        local inputrc = prefix.root .. "/paste"
        host.write_file(inputrc, "set enable-bracketed-paste on\n")
        local seen = host.talk(prefix, "", {
            {"\27[200~local a = 1\nlocal b = a + 1\n\nlocal function f()\n\treturn a + b\nend\nprint(f())\27[201~\r",
                "l\\r?3[\\r\\n]+.*> $"},
            {"b\r", "l\\r?2[\\r\\n]+.*> $"},
        }, {env = {INPUTRC = inputrc, TERM = "xterm"}, first = "> $"})
        assert.equal(4, #seen)
    end)

    it("follows a change of its size", function()
        local seen = host.talk(prefix, "", {
            "wide = {} for i = 1, 30 do wide[i] = i end",
            "os.execute('stty columns 40')",
            "wide",
        })
        for line in host.answer(seen[4]):gmatch("[^\n]+") do assert.is_true(#line <= 40, line) end
    end)
end)
