--- Calls everything with random arguments; nothing may crash, hang, leak or answer with anything but a good error.
---
---     lua5.4 tests/fuzz/fuzz.lua [--calls N] [--seed S] [--from K] [--op NAME] [--trace] [--leaks] [--stats]
---
--- Call K of seed S is the same whatever ran before it: --from K --calls 1 repeats it. --trace prints each call before
--- it is made, --leaks looks for lost tensors after each one.

local tocha = require "tocha"
local arguments = require "tests.fuzz.arguments"
local checks = require "tests.fuzz.checks"
local programs = require "tests.fuzz.programs"
local signature = require "tests.harness.signature"
local values = require "tests.fuzz.values"

local fuzz = {}

local random, chance = math.random, values.chance

local rows = {}
for _, op in ipairs(tocha._op_table()) do
    rows[#rows + 1] = {op = op, parameters = signature.parse(op.signature)}
end

--- How often the leak check of a long run looks.
local leak_interval = 250
--- How many allocations of a call are made to fail, one after the other.
local most_starved = 60
--- A call that takes longer than this many seconds hangs.
local slow = 5

local function describe_call(call)
    local parts = {}
    for i = 1, call.args.n or #call.args do
        parts[i] = values.describe(call.args[i])
    end
    return ("%s(%s)"):format(call.title, table.concat(parts, ", "))
end

--- The form of an operator that is called: f, its title, and the names its errors may begin with.
local function form(op, args)
    local name, inplace = op.public_name, op.inplace and chance(0.35)
    local called = inplace and name .. "_" or name
    local f = tocha[called]
    if args.n > 0 and tocha.is_tensor(args[1]) and tocha.methods[called] and chance(0.4) then
        f = function(x, ...)
            return x[called](x, ...)
        end
    end
    return f, called, inplace, {[name] = true, [called] = true}
end

--- Calls f(...) with each allocation failing in turn, from number first on, until it gets by without or fails for
--- another reason. first false: just calls it.
local function starve(first, f, ...)
    for n = first or most_starved, most_starved do
        tocha._fail_after(first and n or -1, math.maxinteger)
        local results = table.pack(pcall(f, ...))
        tocha._fail_after(-1)
        local message = results[2]
        if results[1] then
            return table.unpack(results, 2, results.n)
        elseif n == most_starved or type(message) ~= "string" or not message:find("out of memory", 1, true) then
            error(message, 0)
        end
    end
end

--- The tensors of a list, and of the lists in it, that need a gradient.
local function needing(list, n, found)
    for i = 1, n do
        local v = list[i]
        if tocha.is_tensor(v) and v.requires_grad then
            found[#found + 1] = v
        elseif type(v) == "table" and not getmetatable(v) and rawlen(v) < 50 and v ~= list then
            needing(v, rawlen(v), found)
        end
    end
    return found
end

local function like(list)
    local grads = {}
    for i, t in ipairs(list) do
        grads[i] = tocha.rand_like(t, {requires_grad = chance(0.5)})
    end
    return grads
end

--- The gradient of what a call gave with respect to its arguments, and the gradient of that.
local function differentiate(args, results)
    local outputs = results
    for _ = 1, 2 do
        local inputs = needing(args, args.n, {})
        outputs = needing(outputs, outputs.n or #inputs, {})
        if #outputs == 0 or #inputs == 0 then
            return
        end
        outputs = tocha.grad(outputs, inputs, {grad_outputs = like(outputs), create_graph = true, allow_unused = true})
    end
end

local function op_call(row)
    local args = arguments.make(row.op, row.parameters)
    if chance(0.35) then
        arguments.spoil(args)
        arguments.lighten(row.op, args)
    end
    if chance(0.4) then
        arguments.track(args)
    end
    if chance(0.25) then
        arguments.name_some(args, row.parameters)
    end
    local f, title, inplace, names = form(row.op, args)
    local starving = chance(0.08)
    local call = {
        title = title, names = names, args = args, inplace = inplace, starving = starving, switch = chance(0.1),
    }
    function call.run()
        local results = table.pack(starve(starving and 0, f, table.unpack(args, 1, args.n)))
        local ok, message = pcall(starve, starving and random(0, 30), differentiate, args, results)
        call.refusal = not ok and message or nil
        return table.unpack(results, 1, results.n)
    end
    return call
end

local function program_call(name)
    local names, run, involved = programs[name]()
    return {title = name, names = names, args = involved, run = run, program = true}
end

local function make_call(options)
    if options.op then
        local forms = {}
        for _, row in ipairs(rows) do
            if row.op.public_name == options.op then
                forms[#forms + 1] = row
            end
        end
        return #forms > 0 and op_call(values.pick(forms)) or program_call(options.op)
    elseif chance(0.25) then
        return program_call(values.pick(programs.names))
    end
    return op_call(values.pick(rows))
end

--- All refusals of a graph; each has to be good.
local function check_refusals(refusals)
    for _, message in ipairs(refusals) do
        local problem = checks.message(message, checks.any)
        if problem then
            return problem
        end
    end
end

local function is_thrown_on_purpose(message)
    return type(message) == "string" and message:find("thrown on purpose", 1, true)
end

local function check_success(call, results)
    if call.title == "graph" then
        return check_refusals(results[1])
    end
    if call.refusal then
        return checks.message(call.refusal, checks.any)
    end
    for i = 1, results.n do
        local problem = tocha.is_tensor(results[i]) and checks.tensor(results[i])
        if problem then
            return problem
        end
    end
    return not call.program and checks.positions(call.title:gsub("_$", ""), call.args)
end

local function check_failure(call, message, before)
    if is_thrown_on_purpose(message) then
        return
    end
    if call.starving and type(message) == "string" and message:find("out of memory", 1, true) then
        call.names = checks.any
    end
    local problem = checks.message(message, call.names)
    if problem then
        return problem
    end
    if before and before ~= checks.snapshot(call.args[1]) then
        return "a call that failed has changed its tensor: " .. message
    end
end

--- Makes one call; nil, or what went wrong, and whether the call was refused.
local function make(call)
    local before = call.inplace and checks.snapshot(call.args[1])
    local from, cpu_from = tocha.clock(), os.clock()
    tocha.set_grad_enabled(not call.switch)
    local results = table.pack(pcall(call.run))
    tocha._fail_after(-1)
    tocha.set_grad_enabled(true)
    local ok = table.remove(results, 1)
    results.n = results.n - 1
    local problem
    if ok then
        problem = check_success(call, results)
    else
        problem = check_failure(call, results[1], before)
    end
    -- What the machine does besides counts in the one, what other threads do in the other.
    local took = math.min(tocha.clock() - from, os.clock() - cpu_from)
    if not problem and took > slow then
        problem = ("took %.1f s"):format(took)
    end
    return problem or nil, not ok
end

local function live_tensors()
    collectgarbage()
    collectgarbage()
    return tocha.memory_stats().tensors
end

--- Counts calls and refusals by name.
local function count(stats, call, refused)
    local entry = stats.by_name[call.title] or {calls = 0, refused = 0}
    stats.by_name[call.title] = entry
    entry.calls = entry.calls + 1
    entry.refused = entry.refused + (refused and 1 or 0)
end

local function note_problem(stats, options, index, text)
    stats.problems[#stats.problems + 1] = ("seed %d, call %d: %s"):format(options.seed, index, text)
    if options.report then
        options.report(stats.problems[#stats.problems])
    end
end

local function one(stats, options, index)
    math.randomseed(options.seed, index)
    tocha.manual_seed(index)
    local call = make_call(options)
    if options.trace then
        io.stderr:write(("%d %s\n"):format(index, describe_call(call)))
    end
    local problem, refused = make(call)
    count(stats, call, refused)
    if problem then
        note_problem(stats, options, index, describe_call(call) .. "\n    " .. problem)
    end
end

--- Makes calls from, from + 1, ... of a seed. options: seed, calls, from = 1, op, trace, leaks, and report, a function
--- that is told each problem. Returns {problems = list of texts, by_name = {name = {calls, refused}}}.
function fuzz.run(options)
    local stats = {problems = {}, by_name = {}}
    local from = options.from or 1
    local every = options.leaks and 1 or leak_interval
    local expected = live_tensors()
    for index = from, from + options.calls - 1 do
        one(stats, options, index)
        if (index - from + 1) % every == 0 or index == from + options.calls - 1 then
            local live = live_tensors()
            if live ~= expected then
                local text = "%d tensors were lost in the last %d calls"
                note_problem(stats, options, index, text:format(live - expected, every))
                expected = live
            end
        end
    end
    return stats
end

local usage = "usage: fuzz.lua [--calls N] [--seed S] [--from K] [--op NAME] [--trace] [--leaks] [--stats]\n"

local function parse(list)
    local options = {calls = 10000, seed = os.time()}
    local i = 1
    while list[i] do
        local name = list[i]:match "^%-%-(%a+)$"
        if name == "trace" or name == "leaks" or name == "stats" then
            options[name] = true
        elseif name == "op" and list[i + 1] then
            i = i + 1
            options.op = list[i]
        elseif (name == "calls" or name == "seed" or name == "from") and math.tointeger(tonumber(list[i + 1])) then
            i = i + 1
            options[name] = math.tointeger(tonumber(list[i]))
        else
            io.stderr:write(usage)
            os.exit(2)
        end
        i = i + 1
    end
    return options
end

local function print_stats(stats)
    local names = {}
    for name in pairs(stats.by_name) do
        names[#names + 1] = name
    end
    table.sort(names)
    for _, name in ipairs(names) do
        local entry = stats.by_name[name]
        print(("%-28s %7d calls %7d refused"):format(name, entry.calls, entry.refused))
    end
end

local function main()
    local options = parse(arg)
    options.report = print
    print(("seed %d, %d calls"):format(options.seed, options.calls))
    local start = tocha.clock()
    local stats = fuzz.run(options)
    local took = tocha.clock() - start
    if options.stats then
        print_stats(stats)
    end
    print(("%d problems in %d calls, %.0f calls a second"):format(#stats.problems, options.calls, options.calls / took))
    os.exit(#stats.problems == 0 and 0 or 1, true)
end

if arg and arg[0] and arg[0]:match "fuzz%.lua$" then
    main()
end

return fuzz
