--- Trains a small convolutional network on handwritten digits.

local tocha = require "tocha"
local data = require "data"
local nn = require "nn"
local optim = require "optim"
local train = require "train"

local spec = {
    {name = "dataset", choices = {"digits", "mnist"}, default = "digits",
        help = "8x8 images that come with Tocha, or MNIST"},
    {name = "data", kind = "text", value = "DIR", help = "folder of MNIST's files; else $TOCHA_DATA, ~/.cache/tocha"},
    {name = "download", flag = true, help = "download MNIST's files with curl where they are missing"},
    {name = "epochs", kind = "count", help = "passes over the training images (digits 30, mnist 3)"},
    {name = "batch-size", kind = "count", help = "images a step (digits 32, mnist 64)"},
    {name = "lr", kind = "positive", value = "RATE", help = "learning rate at the start (digits 0.001, mnist 0.002)"},
    {name = "seed", kind = "size", default = 1, help = "of the random numbers (1)"},
    {name = "threads", kind = "count", help = "threads to compute with (all cores)"},
    {name = "max-steps", kind = "count", help = "stop after so many steps"},
    {name = "save", kind = "text", value = "FILE", help = "write the trained network to a safetensors file"},
}

local defaults = {
    digits = {epochs = 30, batch_size = 32, lr = 0.001},
    mnist = {epochs = 3, batch_size = 64, lr = 0.002},
}

--- 8x8 images: two convolutions, one pooling.
local SmallNet = nn.class("SmallNet")

function SmallNet:init()
    self.conv1 = nn.Conv2d(1, 32, 3, {padding = 1})
    self.conv2 = nn.Conv2d(32, 64, 3, {padding = 1})
    self.pool = nn.MaxPool2d(2)
    self.drop = nn.Dropout(0.25)
    self.fc1 = nn.Linear(64 * 4 * 4, 128)
    self.fc2 = nn.Linear(128, 10)
end

function SmallNet:forward(x)
    x = self.conv1(x):relu()
    x = self.pool(self.conv2(x):relu())
    x = self.drop(x:flatten(2))
    return self.fc2(self.drop(self.fc1(x):relu()))
end

--- 28x28 images: the size of LeNet (LeCun et al., 1998), with max pooling and ReLU.
local LeNet = nn.class("LeNet")

function LeNet:init()
    self.conv1 = nn.Conv2d(1, 20, 5)
    self.conv2 = nn.Conv2d(20, 50, 5)
    self.pool = nn.MaxPool2d(2)
    self.fc1 = nn.Linear(50 * 4 * 4, 500)
    self.fc2 = nn.Linear(500, 10)
end

function LeNet:forward(x)
    x = self.pool(self.conv1(x):relu())
    x = self.pool(self.conv2(x):relu())
    return self.fc2(self.fc1(x:flatten(2)):relu())
end

local function quit(code, message)
    io.stderr:write("train_digits: ", message, "\n")
    os.exit(code, true)
end

--- Calls a function whose errors are the user's business: one sentence, without a traceback.
local function attempt(code, fn, ...)
    local ok, result = pcall(fn, ...)
    if not ok then
        quit(code, (tostring(result):gsub("^[^\n]-:%d+: ", "")))
    end
    return result
end

local function read_options()
    local options, why = train.parse_arguments(spec, arg)
    if not options then
        quit(2, why)
    elseif options.help then
        print("usage: train_digits.lua [OPTION...]\n\nTrains a small network on handwritten digits.\n")
        print(train.describe_arguments(spec))
        os.exit(0, true)
    end
    if options.dataset ~= "mnist" and (options.data or options.download) then
        quit(2, "--data and --download go with --dataset mnist")
    end
    for name, value in pairs(defaults[options.dataset]) do
        options[name] = options[name] or value
    end
    return options
end

local function load_mnist(options)
    if options.download then
        local ok, why = data.mnist_download(options.data)
        if not ok then
            quit(1, why)
        end
    end
    return attempt(1, data.mnist, {dir = options.data, split = "train"}),
        attempt(1, data.mnist, {dir = options.data, split = "test"})
end

local function load(options)
    if options.dataset == "mnist" then
        return load_mnist(options)
    end
    return attempt(1, data.digits, {split = "train"}), attempt(1, data.digits, {split = "test"})
end

local function count_parameters(net)
    local count = 0
    for _, p in ipairs(net:parameters()) do
        count = count + p:numel()
    end
    return count
end

--- One pass; schedule has the steps done and in total. Returns false when the last step has been made.
local function run_epoch(net, optimizer, loader, schedule, label)
    local bar = train.progress(#loader, {label = label})
    local loss_sum, correct, count = 0, 0, 0
    for x, y in loader do
        for _, group in ipairs(optimizer.param_groups) do
            group.lr = schedule.lr * (1 - schedule.done / schedule.total)
        end
        optimizer:zero_grad()
        local logits = net(x)
        local loss = tocha.cross_entropy(logits, y)
        loss:backward()
        optimizer:step()

        local n = y:size(1)
        loss_sum, count = loss_sum + loss:item() * n, count + n
        correct = correct + train.count_correct(logits:detach(), y)
        schedule.done = schedule.done + 1
        bar:step(("loss %.4f"):format(loss_sum / count))
        if schedule.done == schedule.total then
            break
        end
    end
    bar:finish(("%s  loss %.4f  accuracy %.2f %%  %.1f s"):format(label, loss_sum / count, 100 * correct / count,
        bar:elapsed()))
    return schedule.done < schedule.total
end

local function main()
    local options = read_options()
    if options.threads then
        attempt(2, tocha.set_num_threads, options.threads)
    end
    tocha.manual_seed(options.seed)
    local training, testing = load(options)
    local net = options.dataset == "mnist" and LeNet() or SmallNet()
    local optimizer = optim.Adam(net:parameters(), {lr = options.lr})
    local loader = data.DataLoader(training, {batch_size = options.batch_size, shuffle = true})
    print(("%s: %d images to learn from, %d to test on; %d parameters, %d threads"):format(options.dataset, #training,
        #testing, count_parameters(net), tocha.get_num_threads()))

    local steps = options.epochs * #loader
    local schedule = {done = 0, total = math.min(steps, options.max_steps or steps), lr = options.lr}
    for epoch = 1, options.epochs do
        if not run_epoch(net, optimizer, loader, schedule, ("epoch %d/%d"):format(epoch, options.epochs)) then
            break
        end
    end
    local accuracy = train.evaluate(net, data.DataLoader(testing, {batch_size = 500}))
    if options.save then
        attempt(1, tocha.save, options.save, net:state_dict())
    end
    print(("test accuracy %.2f %%"):format(100 * accuracy))
end

main()
