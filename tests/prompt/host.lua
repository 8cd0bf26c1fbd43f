--- Drives bin/tocha for the specs: through pipes, and through a pseudo-terminal with expect(1).
local host = {}

local build = os.getenv("TOCHA_BUILD") or "build"
--- The program under test.
host.program = os.getenv("TOCHA_BIN") or build .. "/bin/tocha"

local TIMEOUT = 60

local function quote(s) return "'" .. s:gsub("'", "'\\''") .. "'" end

-- With a sanitizer the address space cannot be limited, but its allocator can.
local sanitizer = os.getenv("ASAN_OPTIONS")
local LIMIT = sanitizer and ("export ASAN_OPTIONS=%s:max_allocation_size_mb=100;"):format(sanitizer)
    or "ulimit -v 400000;"

local function capture(command)
    local pipe = assert(io.popen(command, "r"))
    local out = pipe:read("a")
    local _, _, code = pipe:close()
    return out, code
end

local function write_file(path, text)
    local file = assert(io.open(path, "w"))
    file:write(text)
    file:close()
end

local function read_file(path)
    local file = io.open(path, "r")
    if not file then return nil end
    local text = file:read("a")
    file:close()
    return text
end

host.quote, host.capture, host.write_file, host.read_file = quote, capture, write_file, read_file

--- A fresh folder laid out like an installation, with a copy of the program and the given Lua modules in it
--- (name to source). `remove()` deletes it.
function host.prefix(modules)
    local root = capture("mktemp -d"):gsub("\n$", "")
    os.execute(("mkdir -p %s/bin %s/lib %s/home && cp %s %s/bin/tocha"):format(
        root, root, root, quote(host.program), root))
    for name, source in pairs(modules or {}) do
        local path = ("%s/share/tocha/lua/%s/init.lua"):format(root, name)
        os.execute("mkdir -p " .. path:match("^(.*)/"))
        write_file(path, source)
    end
    -- Without these the terminal's output would depend on the machine's configuration.
    write_file(root .. "/inputrc", "set enable-bracketed-paste off\nset bell-style none\n")
    return {
        root = root,
        program = root .. "/bin/tocha",
        remove = function() os.execute("rm -rf " .. root) end,
    }
end

-- The environment is the same everywhere; of the caller's only what sanitizers and the system need stays.
local function environment(prefix, extra)
    local env = {
        HOME = prefix.root .. "/home",
        INPUTRC = prefix.root .. "/inputrc",
        TERM = "dumb",
        LC_ALL = "C.UTF-8",
        TOCHA_HISTORY = prefix.root .. "/history",
    }
    for name, value in pairs(extra or {}) do env[name] = value end
    local words = {"env -u LD_PRELOAD -u LUA_PATH -u LUA_CPATH -u NO_COLOR -u XDG_STATE_HOME"}
    for name, value in pairs(env) do
        if value then
            words[#words + 1] = name .. "=" .. quote(value)
        else
            table.insert(words, 2, "-u " .. name)
        end
    end
    return table.concat(words, " ")
end

--- Runs the program with a shell's argument text. `options`: input (text for standard input, else it is empty),
--- env, program, limited (an allocation of more than some hundred megabytes fails). Returns what it wrote to
--- standard output, to standard error, and its exit status.
function host.run(prefix, arguments, options)
    options = options or {}
    local stdin, stderr = prefix.root .. "/stdin", prefix.root .. "/stderr"
    write_file(stdin, options.input or "")
    local limit, program = options.limited and LIMIT or "", options.program or prefix.program
    local out, code = capture(("cd %s && %s %s %s %s < stdin 2> stderr"):format(
        prefix.root, limit, environment(prefix, options.env), program, arguments))
    local warning = "==%d+==WARNING: AddressSanitizer failed to allocate [^\n]*\n"
    return out, (read_file(stderr):gsub(warning, "")), code
end

local function hex(s) return (s:gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
local function unhex(s) return (s:gsub("%x%x", function(h) return string.char(tonumber(h, 16)) end)) end
local function tcl(s) return ("[encoding convertfrom utf-8 [binary format H* {%s}]]"):format(hex(s)) end

local HEAD = [=[
log_user 0
match_max -d 1000000
set timeout %d
set stty_init {columns 120 rows 50}
proc report {kind text} { puts "$kind [binary encode hex [encoding convertto utf-8 $text]]" }
proc await {pattern} {
    global expect_out spawn_id
    expect {
        -re $pattern { report seen $expect_out(buffer) }
        timeout { expect -re .*; report seen $expect_out(buffer); report timeout $pattern; exit 1 }
        eof { report eof $expect_out(buffer); exit 1 }
    }
}
spawn -noecho sh -c %s
]=]

local TAIL = [=[
expect {
    eof { report seen $expect_out(buffer) }
    timeout { expect -re .*; report seen $expect_out(buffer); report timeout end; exit 1 }
}
puts "exit [lrange [wait] 2 end]"
]=]

--- The end of a line, followed by the first or the continuation prompt and nothing else.
host.PROMPT = "(^|\\n)>>? $"

--- Runs the program in a pseudo-terminal. `steps` is a list of: a string, typed with Enter, then the prompt is
--- awaited; {keys, pattern}, typed as it is, then the pattern (a Tcl regular expression) is awaited; keys may be
--- "" to type nothing. Returns a list of what came after each step (the first is what came before the first prompt,
--- the last what came between the last step and the end), and the exit status as expect's wait gives it.
--- Raises an error, with all that was seen, when something awaited does not come.
function host.talk(prefix, arguments, steps, options)
    options = options or {}
    local command = ("cd %s && exec %s %s %s"):format(
        prefix.root, environment(prefix, options.env), options.program or prefix.program, arguments)
    local script = {HEAD:format(TIMEOUT, tcl(command)), ("await %s"):format(tcl(options.first or host.PROMPT))}
    for _, step in ipairs(steps) do
        local keys, pattern = step, host.PROMPT
        if type(step) == "table" then keys, pattern = step[1], step[2] else keys = keys .. "\r" end
        if keys ~= "" then script[#script + 1] = "send -- " .. tcl(keys) end
        if pattern then script[#script + 1] = "await " .. tcl(pattern) end
    end
    if options.last ~= false then script[#script + 1] = "send -- " .. tcl(options.last or "\4") end
    script[#script + 1] = TAIL
    local path = prefix.root .. "/talk.exp"
    write_file(path, table.concat(script, "\n"))
    local report = capture("env -u LD_PRELOAD expect -f " .. path .. " 2>&1 </dev/null")
    local seen, status = {}, nil
    for kind, text in report:gmatch("(%a+) ([^\n]*)") do
        if kind == "seen" then seen[#seen + 1] = unhex(text):gsub("\r\n", "\n"):gsub("\r", "") end
        if kind == "exit" then status = text end
        if kind == "eof" or kind == "timeout" then
            error(("%s; seen:\n%s\nawaited: %s"):format(kind, table.concat(seen, "\n---\n"), unhex(text)), 2)
        end
    end
    if not status then error("expect failed: " .. report, 2) end
    return seen, status
end

--- What the program answered to a typed line: without the echo of the line and without the prompt behind it.
function host.answer(seen) return (seen:gsub("^[^\n]*\n", "", 1):gsub("\n?>>? $", "", 1)) end

--- Types lines at the prompt and returns the list of answers.
function host.prompt(prefix, lines, options)
    local seen = host.talk(prefix, "", lines, options)
    local answers = {}
    for i = 1, #lines do answers[i] = host.answer(seen[i + 1]) end
    return answers
end

return host
