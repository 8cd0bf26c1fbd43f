--- Prints the names that PyTorch documents beside Tocha's; see scripts/coverage.

local tocha = require "tocha"
local functional = require "nn.functional"

local folder, mode = ...

--- A tensor of which every property has a value.
local function sample()
    local x = tocha.ones(2, 2):requires_grad_() * 2
    x:retain_grad()
    x:sum():backward()
    return x
end

local x = sample()

--- Whether Tocha has a name, by PyTorch's namespace.
local namespaces = {
    {"torch", function(name) return tocha[name] end},
    {"Tensor", function(name) return x[name] end},
    {"linalg", function(name) return tocha.linalg and tocha.linalg[name] end},
    {"fft", function(name) return tocha.fft and tocha.fft[name] end},
    {"nn.functional", function(name) return functional[name] end},
}

local function fail(...)
    io.stderr:write("coverage: ", string.format(...), "\n")
    os.exit(1)
end

--- PyTorch's version, and a list of {namespace, name}.
local function read_names(path)
    local names, version = {}, nil
    for line in io.lines(path) do
        local first, second = line:match "^(%S+) (%S+)$"
        if not first then
            fail("%s: cannot read the line %q", path, line)
        elseif not version then
            version = second
        else
            names[#names + 1] = {first, second}
        end
    end
    return version, names
end

--- What the data file says of a name, by its full name: {kind, text}; kind is "spelled", "apart" or "left out".
local function read_decisions(path)
    local data, decisions = dofile(path), {}
    local function decide(full, kind, text)
        if decisions[full] then
            fail("%s has %s twice", path, full)
        end
        decisions[full] = {kind, text}
    end
    for full, expression in pairs(data.spelled) do
        decide(full, "spelled", expression)
    end
    for kind, groups in pairs {apart = data.apart, ["left out"] = data.left_out} do
        for _, group in ipairs(groups) do
            for namespace, names in pairs(group.names) do
                for name in names:gmatch "%S+" do
                    decide(namespace .. "." .. name, kind, group.reason)
                end
            end
        end
    end
    return decisions
end

local function evaluate(expression)
    local f = assert(load("local tocha, nn, x = ... return " .. expression))
    local ok, value = pcall(f, tocha, require "nn", x)
    return ok and value ~= nil
end

--- The state of a name, "here", "apart", "left out" or "missing", and what is said of it.
local function judge(find, full, name, decision)
    local here = find(name) ~= nil
    local kind, text = table.unpack(decision or {})
    if here and kind then
        fail("%s is in Tocha, but left_out.lua has it as %s", full, kind)
    elseif here then
        return "here", ""
    elseif not kind then
        return "missing", ""
    elseif kind == "spelled" and not evaluate(text) then
        fail("%s should be spelled %s, which is not there", full, text)
    end
    return kind == "spelled" and "here" or kind, text
end

local function share(count)
    local counted = count.here + count["left out"] + count.missing
    return counted, counted > 0 and 100 * count.here / counted or 100
end

local function new_count()
    return {here = 0, apart = 0, ["left out"] = 0, missing = 0}
end

local function print_summary(rows)
    local titles = {"", "documented", "counted", "here", "left out", "missing", "share"}
    print(("%-14s %10s %8s %6s %9s %8s %8s"):format(table.unpack(titles)))
    for _, row in ipairs(rows) do
        local title, count = table.unpack(row)
        local counted, percent = share(count)
        print(("%-14s %10d %8d %6d %9d %8d %6.1f %%"):format(title, counted + count.apart, counted, count.here,
            count["left out"], count.missing, percent))
    end
end

local function main()
    local version, names = read_names(folder .. "/pytorch.txt")
    local decisions = read_decisions(folder .. "/left_out.lua")
    local total, rows, used = new_count(), {}, {}
    print(("Names that PyTorch %s documents; \"apart\" ones do not count."):format(version))
    for _, namespace in ipairs(namespaces) do
        local title, find = table.unpack(namespace)
        local count = new_count()
        for _, entry in ipairs(names) do
            if entry[1] == title then
                local full = title .. "." .. entry[2]
                local state, text = judge(find, full, entry[2], decisions[full])
                used[full] = true
                count[state], total[state] = count[state] + 1, total[state] + 1
                if mode == "all" or state == "missing" or mode == "absent" and state ~= "here" then
                    print(("%-46s %-9s %s"):format(full, state, text))
                end
            end
        end
        rows[#rows + 1] = {title, count}
    end
    for full in pairs(decisions) do
        if not used[full] then
            fail("left_out.lua has %s, which PyTorch %s does not document", full, version)
        end
    end
    rows[#rows + 1] = {"together", total}
    print_summary(rows)
    print(("coverage %.1f %%"):format(select(2, share(total))))
end

main()
