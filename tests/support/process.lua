--- Lua programs in processes of their own.
local process = {}

--- What a program prints, run by the stock interpreter under settings as for env(1), such as "TOCHA_MEMORY_LIMIT=64M".
--- Its text must hold no single quote.
function process.run(settings, code)
    assert(not code:find("'", 1, true), "the shell would end the program at a single quote")
    local pipe = assert(io.popen(("env %s lua5.4 -e '%s' 2>&1"):format(settings, code)))
    local text = pipe:read("a")
    pipe:close()
    return text
end

return process
