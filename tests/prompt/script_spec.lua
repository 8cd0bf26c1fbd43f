--- bin/tocha as a program: scripts, pieces of code, standard input, search paths, exit statuses.
local host = require("tests.prompt.host")

describe("tocha as a program", function()
    local prefix

    local function script(text)
        host.write_file(prefix.root .. "/s.lua", text)
        return "s.lua"
    end

    setup(function()
        prefix = host.prefix({
            tocha = "return {name = 'stub', help = function() return 'helped' end}",
            nn = "return {kind = 'nn'}",
            broken = "error('broken on purpose')",
        })
    end)

    teardown(function() prefix.remove() end)

    local function succeeds(expected, arguments, options)
        local out, err, code = host.run(prefix, arguments, options)
        assert.equal("", err)
        assert.equal(expected, out)
        assert.equal(0, code)
    end

    --- Returns the text on standard error.
    local function fails(arguments, options)
        local out, err, code = host.run(prefix, arguments, options)
        assert.equal("", out)
        assert.equal(options and options.code or 1, code)
        return err
    end

    describe("options", function()
        it("prints its version and Lua's", function()
            local out, err, code = host.run(prefix, "--version")
            assert.matches("^Tocha %d+%.%d+%.%d+ %(Lua 5%.4%.%d+%)\n$", out)
            assert.equal("", err)
            assert.equal(0, code)
        end)

        it("prints the version without loading anything", function()
            local broken = host.prefix({tocha = "error('loaded')"})
            local out, err = host.run(broken, "--version")
            broken.remove()
            assert.matches("^Tocha ", out)
            assert.equal("", err)
        end)

        it("explains itself", function()
            local out, _, code = host.run(prefix, "--help")
            assert.matches("^usage: tocha ", out)
            for _, option in ipairs({"%-e CODE", "%-l MODULE", "%-i ", "%-%-version", "TOCHA_HISTORY"}) do
                assert.matches(option, out)
            end
            assert.equal(0, code)
        end)

        it("rejects what it does not know", function()
            assert.equal("tocha: unknown option -z; tocha --help lists the options\n", fails("-z"))
            assert.equal("tocha: unknown option --verison; tocha --help lists the options\n", fails("--verison"))
            assert.equal("tocha: -e needs a value; tocha --help lists the options\n", fails("-e"))
        end)
    end)

    describe("scripts", function()
        it("get their arguments as Lua's own interpreter gives them", function()
            script("print(arg[0], arg[1], arg[2], #arg, arg[-1] ~= nil, ...)")
            succeeds("s.lua\ta\tb c\t2\ttrue\ta\tb c\n", "s.lua a 'b c'")
        end)

        it("have no globals of the library and require it", function()
            script("print(rawget(_G, 'tocha'), tocha, nn, help, require('tocha').name, require('nn').kind)")
            succeeds("nil\tnil\tnil\tnil\tstub\tnn\n", "s.lua")
        end)

        it("may start with a #! line, and follow --", function()
            host.write_file(prefix.root .. "/-s.lua", "#!/usr/bin/env tocha\nprint('ran')")
            succeeds("ran\n", "-- -s.lua")
        end)

        it("end with the status they ask for", function()
            script("io.write('out') os.exit(7)")
            local out, _, code = host.run(prefix, "s.lua")
            assert.equal("out", out)
            assert.equal(7, code)
        end)

        it("fail with the message and a traceback of user code alone", function()
            script("local function f(t)\n    return t.x.y\nend\n" ..
                "local function g()\n    local r = f({})\n    return r\nend\ng()")
            assert.equal(
                "tocha: s.lua:2: attempt to index a nil value (field 'x')\nstack traceback:\n" ..
                "\ts.lua:2: in upvalue 'f'\n\ts.lua:5: in local 'g'\n\ts.lua:8: in main chunk\n", fails("s.lua"))
        end)

        it("leave error and assert out of the traceback", function()
            script("local function f() error('no') end\nf()")
            assert.equal("tocha: s.lua:1: no\nstack traceback:\n\ts.lua:1: in local 'f'\n\ts.lua:2: in main chunk\n",
                fails("s.lua"))
            script("assert(false, 'nor this')")
            assert.equal("tocha: s.lua:1: nor this\nstack traceback:\n\ts.lua:1: in main chunk\n", fails("s.lua"))
        end)

        it("may fail with any value", function()
            script("error({code = 2})")
            assert.matches("^tocha: {code = 2}\nstack traceback:\n\ts.lua:1: in main chunk\n$", fails("s.lua"))
            script("error(setmetatable({}, {__tostring = function() return 'my error' end}))")
            assert.matches("^tocha: my error\n", fails("s.lua"))
            script("error(setmetatable({}, {__tostring = function() error('again') end}))")
            assert.matches("^tocha: <table: error in __tostring: s.lua:1: again>\n", fails("s.lua"))
            script("error()")
            assert.matches("^tocha: nil\n", fails("s.lua"))
        end)

        it("fail with a syntax error", function()
            script("x = = 1")
            assert.equal("tocha: s.lua:1: unexpected symbol near '='\n", fails("s.lua"))
        end)

        it("that are not there are named", function()
            assert.equal("tocha: cannot open missing.lua: No such file or directory\n", fails("missing.lua"))
        end)

        it("see the end of memory as an error", function()
            script("print(pcall(string.rep, 'x', 1 << 30))")
            succeeds("false\tnot enough memory\n", "s.lua", {limited = true})
            script("string.rep('x', 1 << 30)")
            assert.equal("tocha: not enough memory\n", fails("s.lua", {limited = true}))
        end)

        it("get coroutines that behave as Lua's own", function()
            script([[
                local co = coroutine.create(function(a) local b = coroutine.yield(a + 1) error("e" .. b) end)
                print(coroutine.resume(co, 1))
                print(coroutine.resume(co, 2))
                print(coroutine.resume(co, 3))
                print(coroutine.status(co), coroutine.close(co))
                local gen = coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i, i * i) end return "end" end)
                print(gen()) print(gen()) print(gen()) print(gen())
                print(pcall(gen))
                local closed = coroutine.create(function()
                    local x <close> = setmetatable({}, {__close = function() print("closed") end})
                    coroutine.yield()
                end)
                coroutine.resume(closed)
                print(coroutine.close(closed))
                local inner = coroutine.wrap(function() coroutine.wrap(function() error({1}) end)() end)
                print(select("#", pcall(inner)), type(select(2, pcall(coroutine.wrap(function() error({}) end)))))
                print(pcall(coroutine.resume, 1))
                print(pcall(coroutine.wrap))
                print(coroutine.resume(coroutine.running()))
                print(coroutine.isyieldable(), coroutine.wrap(coroutine.isyieldable)())
            ]])
            local stock = host.capture(("cd %s && env -u LD_PRELOAD lua5.4 s.lua"):format(prefix.root))
            assert.matches("closed", stock)
            succeeds(stock, "s.lua")
        end)
    end)

    describe("pieces of code", function()
        it("run in order, before the script", function()
            script("print('script', x, ...)")
            succeeds("1\n2\nscript\t2\targ\n", "-e 'x = 1 print(x)' -e'x = x + 1 print(x)' s.lua arg")
        end)

        it("have the library as globals, which a script after them has not", function()
            script("print(rawget(_G, 'tocha'), nn)")
            succeeds("stub\tnn\thelped\n", "-e 'print(tocha.name, nn.kind, help())'")
            succeeds("stub\nnil\tnil\n", "-e 'print(tocha.name)' s.lua")
        end)

        it("name themselves in errors, and end the program", function()
            script("print('not reached')")
            assert.equal("tocha: (command line):1: bad\nstack traceback:\n\t(command line):1: in main chunk\n",
                fails([[-e 'error("bad")' s.lua]]))
            assert.matches("^tocha: %(command line%):1: .*near <eof>\n$", fails("-e 'for'"))
        end)

        it("say which library is missing", function()
            assert.matches("^tocha: .*module 'optim' not found", fails("-e 'print(optim)'"))
        end)

        it("may require modules first", function()
            succeeds("nn\tstub\n", "-l nn -l t=tocha -e 'print(rawget(_G, \"nn\").kind, t.name)'")
            assert.matches("^tocha: .*broken on purpose", fails("-l broken"))
        end)
    end)

    describe("standard input", function()
        it("is a script where it is no terminal", function()
            succeeds("from a pipe\t0\n", "", {input = "print('from a pipe', select('#', ...))"})
        end)

        it("is the script called -, with arguments", function()
            succeeds("-\ta\n", "- a", {input = "print(arg[0], ...)"})
        end)

        it("names itself in errors", function()
            assert.equal("tocha: stdin:2: oops\nstack traceback:\n\tstdin:2: in main chunk\n",
                fails("-", {input = "\nerror('oops')"}))
        end)

        it("is left to a script that reads it", function()
            script("print(io.read('n', 'l', 'a'))")
            succeeds("12\t\trest\n", "s.lua", {input = "12\nrest"})
        end)
    end)

    describe("search paths", function()
        it("start with the installation that the program lies in", function()
            script("print(package.path) print(package.cpath)")
            local out = host.run(prefix, "s.lua", {env = {LUA_PATH = "/mine/?.lua", LUA_CPATH = "/mine/?.so"}})
            local r = prefix.root
            assert.equal(
                ("%s/share/tocha/lua/?.lua;%s/share/tocha/lua/?/init.lua;/mine/?.lua\n%s/lib/?.so;/mine/?.so\n")
                    :format(r, r, r), out)
        end)

        it("prefer the library to a user's file of the same name", function()
            host.write_file(prefix.root .. "/nn.lua", "return {kind = 'mine'}")
            script("print(require('nn').kind)")
            succeeds("nn\n", "s.lua")
            os.remove(prefix.root .. "/nn.lua")
        end)

        it("follow a link to the program", function()
            os.execute(("ln -s %s/bin/tocha %s/link"):format(prefix.root, prefix.root))
            succeeds("stub\n", "-e 'print(tocha.name)'", {program = prefix.root .. "/link"})
        end)
    end)

    describe("Ctrl-C", function()
        -- The signal is sent when the script says that it is where it should be.
        local function interrupted(body, signals)
            script(body)
            host.write_file(prefix.root .. "/run.sh", ([[
                (for i in %s; do
                    n=0
                    until grep -q "ready $i" out || [ $n -ge 600 ]; do sleep 0.05; n=$((n + 1)); done
                    kill -INT $(cat pid)
                done) 2>/dev/null &
                sh -c 'echo $$ > pid; exec %s s.lua > out 2> err'
                echo "$? $(cat err)"
            ]]):format(signals or "1", prefix.program))
            os.execute(("rm -f %s/out"):format(prefix.root))
            local out = host.capture(("cd %s && env -u LD_PRELOAD bash run.sh 2>&1"):format(prefix.root))
            return out
        end

        it("ends a script with a traceback and status 130", function()
            assert.equal("130 tocha: s.lua:2: interrupted\nstack traceback:\n\ts.lua:2: in local 'f'\n" ..
                "\ts.lua:3: in main chunk\n",
                interrupted("local function f() io.stdout:write('ready 1\\n'):flush()\nwhile true do end end\nf()"))
        end)

        it("ends a script that is inside nested coroutines", function()
            assert.matches("^130 tocha: .*s.lua:2: interrupted\n", interrupted([[io.stdout:write('ready 1\n'):flush()
                coroutine.wrap(function() coroutine.wrap(function() while true do end end)() end)()]]))
        end)

        it("ends a script that waits for input", function()
            os.execute("mkfifo " .. prefix.root .. "/fifo")
            assert.matches("^130 tocha: s.lua:2: interrupted\n", interrupted([[io.stdout:write('ready 1\n'):flush()
                io.open('fifo', 'r+'):read()]]))
        end)

        it("can be caught by the script", function()
            assert.equal("0 \n", interrupted([[
                local ok, message = pcall(function() io.stdout:write('ready 1\n'):flush() while true do end end)
                assert(not ok and message == 's.lua:1: interrupted', message)]]))
        end)

        it("kills a script that does not react, at the second time", function()
            assert.matches("^130 ", interrupted([[
                local function spin() while true do end end
                pcall(function() io.stdout:write('ready 1\n'):flush() spin() end)
                io.stdout:write('ready 2\n'):flush()
                while true do pcall(spin) end]], "1 2"))
        end)
    end)
end)
