--- The classes of nn, each against the function that it stands for.

local tocha = require "tocha"
local nn = require "nn"

local F = nn.functional

local function message(fn, ...)
    local ok, text = pcall(fn, ...)
    assert.is_false(ok)
    return text
end

local function same(expected, got)
    assert.equal(tostring(expected.shape), tostring(got.shape))
    assert.is_true(expected:equal(got), ("%s, expected %s"):format(tostring(got), tostring(expected)))
end

local function names(module)
    local list = {}
    for name, p in module:named_parameters() do
        list[#list + 1] = name .. " " .. tostring(p.shape)
    end
    return table.concat(list, ", ")
end

tocha.manual_seed(11)
local x1, x2, x3 = tocha.randn(2, 4, 8), tocha.randn(2, 4, 6, 6), tocha.randn(2, 4, 4, 4, 4)
local row, other = tocha.randn(3, 4), tocha.randn(3, 4)
local share, sign = tocha.rand(3, 4), tocha.randn(3, 4):sign()
local classes = tocha.tensor {1, 4, 2}

--- A module, its arguments, and what the function gives for them.
local plain = {
    {nn.ELU(0.5), {row}, F.elu(row, 0.5), "ELU({alpha = 0.5})"},
    {nn.CELU(0.5), {row}, F.celu(row, 0.5), "CELU({alpha = 0.5})"},
    {nn.SELU(), {row}, F.selu(row), "SELU()"},
    {nn.GELU("tanh"), {row}, F.gelu(row, "tanh"), 'GELU({approximate = "tanh"})'},
    {nn.SiLU(), {row}, F.silu(row), "SiLU()"},
    {nn.Mish(), {row}, F.mish(row), "Mish()"},
    {nn.Softplus(2, 3), {row}, F.softplus(row, 2, 3), "Softplus({beta = 2, threshold = 3})"},
    {nn.Softsign(), {row}, F.softsign(row), "Softsign()"},
    {nn.Hardtanh(-0.5), {row}, F.hardtanh(row, -0.5), "Hardtanh({min_val = -0.5})"},
    {nn.Hardsigmoid(), {row}, F.hardsigmoid(row), "Hardsigmoid()"},
    {nn.Hardswish(), {row}, F.hardswish(row), "Hardswish()"},
    {nn.ReLU6(), {row * 4}, F.relu6(row * 4), "ReLU6()"},
    {nn.LeakyReLU(0.2), {row}, F.leaky_relu(row, 0.2), "LeakyReLU({negative_slope = 0.2})"},
    {nn.LogSigmoid(), {row}, F.logsigmoid(row), "LogSigmoid()"},
    {nn.Tanhshrink(), {row}, F.tanhshrink(row), "Tanhshrink()"},
    {nn.Softshrink(0.25), {row}, F.softshrink(row, 0.25), "Softshrink({lambd = 0.25})"},
    {nn.Hardshrink(0.25), {row}, F.hardshrink(row, 0.25), "Hardshrink({lambd = 0.25})"},
    {nn.Threshold(0.1, 20), {row}, F.threshold(row, 0.1, 20), "Threshold(0.1, 20)"},
    {nn.GLU(1), {x1}, F.glu(x1, 1), "GLU({dim = 1})"},
    {nn.RReLU(0.2, 0.4):eval(), {row}, F.rrelu(row, 0.2, 0.4), "RReLU({lower = 0.2, upper = 0.4})"},
    {nn.Softmin(2), {row}, F.softmin(row, 2), "Softmin(2)"},
    {nn.Softmax2d(), {x2}, F.softmax(x2, 2), "Softmax2d()"},
    {nn.MaxPool1d(3, 2), {x1}, F.max_pool1d(x1, 3, 2), "MaxPool1d(3, {stride = 2})"},
    {nn.MaxPool3d({2, 1, 2}), {x3}, F.max_pool3d(x3, {2, 1, 2}), "MaxPool3d({2, 1, 2})"},
    {nn.AvgPool1d(3, {padding = 1}), {x1}, F.avg_pool1d(x1, 3, {padding = 1}), "AvgPool1d(3, {padding = 1})"},
    {nn.AvgPool3d(2, {divisor_override = 3}), {x3}, F.avg_pool3d(x3, 2, {divisor_override = 3}),
        "AvgPool3d(2, {divisor_override = 3})"},
    {nn.AdaptiveAvgPool1d(3), {x1}, F.adaptive_avg_pool1d(x1, 3), "AdaptiveAvgPool1d(3)"},
    {nn.AdaptiveAvgPool2d({3, false}), {x2}, F.adaptive_avg_pool2d(x2, {3, 6}), "AdaptiveAvgPool2d({3, -1})"},
    {nn.AdaptiveAvgPool3d(2), {x3}, F.adaptive_avg_pool3d(x3, 2), "AdaptiveAvgPool3d(2)"},
    {nn.AdaptiveMaxPool1d(3), {x1}, F.adaptive_max_pool1d(x1, 3), "AdaptiveMaxPool1d(3)"},
    {nn.AdaptiveMaxPool2d({3, 2}), {x2}, F.adaptive_max_pool2d(x2, {3, 2}), "AdaptiveMaxPool2d({3, 2})"},
    {nn.AdaptiveMaxPool3d(2), {x3}, F.adaptive_max_pool3d(x3, 2), "AdaptiveMaxPool3d(2)"},
    {nn.LPPool1d(2, 2), {x1:abs()}, F.lp_pool1d(x1:abs(), 2, 2), "LPPool1d(2, 2)"},
    {nn.LPPool2d(2, 3, 2), {x2:abs()}, F.lp_pool2d(x2:abs(), 2, 3, 2), "LPPool2d(2, 3, {stride = 2})"},
    {nn.LPPool3d(2, 2), {x3:abs()}, F.lp_pool3d(x3:abs(), 2, 2), "LPPool3d(2, 2)"},
    {nn.LocalResponseNorm(3, 0.5), {x2}, F.local_response_norm(x2, 3, 0.5), "LocalResponseNorm(3, {alpha = 0.5})"},
    {nn.Unflatten(2, {2, 2}), {row}, row:unflatten(2, {2, 2}), "Unflatten(2, {2, 2})"},
    {nn.PixelShuffle(2), {x2}, F.pixel_shuffle(x2, 2), "PixelShuffle(2)"},
    {nn.PixelUnshuffle(3), {x2}, F.pixel_unshuffle(x2, 3), "PixelUnshuffle(3)"},
    {nn.ChannelShuffle(2), {x2}, F.channel_shuffle(x2, 2), "ChannelShuffle(2)"},
    {nn.Upsample {size = {9, 8}, mode = "bilinear"}, {x2}, F.interpolate(x2, {9, 8}, nil, "bilinear"),
        'Upsample({size = {9, 8}, mode = "bilinear"})'},
    {nn.UpsamplingNearest2d {scale_factor = 2}, {x2}, F.upsample_nearest(x2, nil, 2)},
    {nn.UpsamplingBilinear2d(9), {x2}, F.upsample_bilinear(x2, 9)},
    {nn.Unfold(2, {stride = 2}), {x2}, F.unfold(x2, 2, {stride = 2}), "Unfold(2, {stride = 2})"},
    {nn.Fold({6, 6}, 2, {stride = 2}), {F.unfold(x2, 2, {stride = 2})}, x2, "Fold({6, 6}, 2, {stride = 2})"},
    {nn.ConstantPad1d({1, 2}, 3), {x1}, F.pad(x1, {1, 2}, "constant", 3), "ConstantPad1d({1, 2}, 3)"},
    {nn.ConstantPad2d(1, 3), {x2}, F.pad(x2, {1, 1, 1, 1}, "constant", 3), "ConstantPad2d({1, 1, 1, 1}, 3)"},
    {nn.ConstantPad3d(1, 3), {x3}, F.pad(x3, {1, 1, 1, 1, 1, 1}, "constant", 3)},
    {nn.ZeroPad1d(2), {x1}, F.pad(x1, {2, 2}), "ZeroPad1d({2, 2})"},
    {nn.ZeroPad2d({1, 2, 3, 4}), {x2}, F.pad(x2, {1, 2, 3, 4})},
    {nn.ZeroPad3d(1), {x3}, F.pad(x3, {1, 1, 1, 1, 1, 1})},
    {nn.ReflectionPad1d(2), {x1}, F.pad(x1, {2, 2}, "reflect")},
    {nn.ReflectionPad2d({1, 2, 3, 4}), {x2}, F.pad(x2, {1, 2, 3, 4}, "reflect")},
    {nn.ReflectionPad3d(1), {x3}, F.pad(x3, {1, 1, 1, 1, 1, 1}, "reflect")},
    {nn.ReplicationPad1d(2), {x1}, F.pad(x1, {2, 2}, "replicate")},
    {nn.ReplicationPad2d({1, 2, 3, 4}), {x2}, F.pad(x2, {1, 2, 3, 4}, "replicate")},
    {nn.ReplicationPad3d(1), {x3}, F.pad(x3, {1, 1, 1, 1, 1, 1}, "replicate")},
    {nn.CircularPad1d(2), {x1}, F.pad(x1, {2, 2}, "circular")},
    {nn.CircularPad2d({1, 2, 3, 4}), {x2}, F.pad(x2, {1, 2, 3, 4}, "circular")},
    {nn.CircularPad3d(1), {x3}, F.pad(x3, {1, 1, 1, 1, 1, 1}, "circular")},
    {nn.CosineSimilarity(1), {row, other}, F.cosine_similarity(row, other, 1), "CosineSimilarity({dim = 1})"},
    {nn.PairwiseDistance(1, {keepdim = true}), {row, other}, F.pairwise_distance(row, other, 1, {keepdim = true}),
        "PairwiseDistance({p = 1, keepdim = true})"},
    {nn.SmoothL1Loss {beta = 0.5}, {row, other}, F.smooth_l1_loss(row, other, {beta = 0.5}),
        "SmoothL1Loss({beta = 0.5})"},
    {nn.HuberLoss {delta = 0.5}, {row, other}, F.huber_loss(row, other, {delta = 0.5}), "HuberLoss({delta = 0.5})"},
    {nn.KLDivLoss {reduction = "batchmean"}, {row, share}, F.kl_div(row, share, "batchmean"),
        'KLDivLoss({reduction = "batchmean"})'},
    {nn.BCELoss(share), {share, 1 - share}, F.binary_cross_entropy(share, 1 - share, share), "BCELoss()"},
    {nn.BCEWithLogitsLoss {pos_weight = share[1]}, {row, share},
        F.binary_cross_entropy_with_logits(row, share, {pos_weight = share[1]}), "BCEWithLogitsLoss()"},
    {nn.PoissonNLLLoss {full = true}, {row, share * 3}, F.poisson_nll_loss(row, share * 3, {full = true}),
        "PoissonNLLLoss({full = true})"},
    {nn.GaussianNLLLoss {reduction = "sum"}, {row, other, share},
        F.gaussian_nll_loss(row, other, share, {reduction = "sum"}), 'GaussianNLLLoss({reduction = "sum"})'},
    {nn.SoftMarginLoss(), {row, sign}, F.soft_margin_loss(row, sign), "SoftMarginLoss()"},
    {nn.HingeEmbeddingLoss(0.5), {row, sign}, F.hinge_embedding_loss(row, sign, 0.5)},
    {nn.MultiLabelSoftMarginLoss(share[1]), {row, share}, F.multilabel_soft_margin_loss(row, share, share[1])},
    {nn.MarginRankingLoss(0.5), {row, other, sign}, F.margin_ranking_loss(row, other, sign, 0.5)},
    {nn.MultiMarginLoss(2, 0.5), {row, classes}, F.multi_margin_loss(row, classes, 2, 0.5)},
    {nn.MultiLabelMarginLoss(), {row, tocha.tensor {{1, 2, 0, 0}, {4, 0, 0, 0}, {0, 0, 0, 0}}},
        F.multilabel_margin_loss(row, tocha.tensor {{1, 2, 0, 0}, {4, 0, 0, 0}, {0, 0, 0, 0}})},
    {nn.CosineEmbeddingLoss(0.1), {row, other, sign:select(2, 1)},
        F.cosine_embedding_loss(row, other, sign:select(2, 1), 0.1)},
    {nn.TripletMarginLoss(0.5, {swap = true}), {row, other, share},
        F.triplet_margin_loss(row, other, share, 0.5, {swap = true}), "TripletMarginLoss({margin = 0.5, swap = true})"},
    {nn.TripletMarginWithDistanceLoss {distance_function = function(a, b) return (a - b):abs():sum(2) end},
        {row, other, share}, F.triplet_margin_with_distance_loss(row, other, share,
            {distance_function = function(a, b) return (a - b):abs():sum(2) end})},
    {nn.CTCLoss {blank = 4, reduction = "sum"},
        {row:log_softmax(2), tocha.tensor {1}, tocha.tensor(3), tocha.tensor(1)},
        F.ctc_loss(row:log_softmax(2), tocha.tensor {1}, tocha.tensor(3), tocha.tensor(1),
            {blank = 4, reduction = "sum"})},
}

describe("a module without parameters", function()
    for _, case in ipairs(plain) do
        it(case[1]._name .. " gives what its function gives", function()
            local module = case[1]
            assert.equal(0, #module:parameters())
            same(case[3], (module(table.unpack(case[2]))))
            if case[4] then
                assert.equal(case[4], tostring(module))
            end
        end)
    end

    it("drops out in training alone", function()
        for _, name in ipairs {"Dropout1d", "Dropout2d", "Dropout3d", "AlphaDropout", "FeatureAlphaDropout"} do
            local x = name == "Dropout1d" and x1 or name == "Dropout2d" and x2 or x3
            local module = nn[name](0.5)
            assert.is_false(module(x):equal(x))
            same(x, module:eval()(x))
        end
        local channels = nn.Dropout2d(0.5)(tocha.ones(1, 50, 3, 3)):flatten(3):sum(3)
        assert.same({0, 18}, (channels:unique():tolist()))
    end)

    it("unpools what it has pooled", function()
        for dims, x in ipairs {x1:abs(), x2:abs(), x3:abs()} do
            local pool = nn[("MaxPool%dd"):format(dims)](2, {return_indices = true})
            local y, at = pool(x)
            local back = nn[("MaxUnpool%dd"):format(dims)](2)(y, at, x.shape)
            same(F[("max_unpool%dd"):format(dims)](y, at, 2, {output_size = x.shape}), back)
            same(y, (pool(back)))
        end
    end)

    it("pools at random places", function()
        local samples = tocha.full({2, 4, 2}, 0.5)
        same((F.fractional_max_pool2d(x2, 2, 3, {_random_samples = samples})),
            (nn.FractionalMaxPool2d(2, 3, {_random_samples = samples})(x2)))
        assert.equal("2x4x2x2x2", tostring(nn.FractionalMaxPool3d(2, {output_ratio = 0.5})(x3).shape))
    end)

    it("says what is wrong in a sentence", function()
        for _, case in ipairs {
            {nn.ZeroPad2d, {{1, 2}}, "ZeroPad2d: padding must be a whole number or a list of 4, got a table"},
            {nn.ReflectionPad1d, {"x"}, "ReflectionPad1d: padding must be a whole number or a list of 2, got \"x\""},
            {nn.AdaptiveAvgPool2d, {{1, 2, 3}}, "AdaptiveAvgPool2d: output_size must be a whole number or a list of 2"},
            {nn.MaxPool3d, {{1, 2}}, "MaxPool3d: kernel_size must be a whole number from 1 or a list of three"},
            {nn.BCELoss, {{reduction = "max"}}, 'BCELoss: reduction must be mean, sum or none, got "max"'},
            {nn.GELU, {3}, "GELU: approximate must be a string, got 3"},
            {nn.Softmax2d(), {row}, "Softmax2d%(%): expected input of shape %(n, c, h, w%) or %(c, h, w%), got 3x4"},
        } do
            assert.matches(case[3], message(case[1], table.unpack(case[2])))
        end
    end)
end)

describe("a module with parameters", function()
    it("convolves over one, two and three dims", function()
        for dims, x in ipairs {x1, x2, x3} do
            local name, kernel = ("conv%dd"):format(dims), ("x3"):rep(dims)
            local conv = nn[("Conv%dd"):format(dims)](4, 6, 3, {stride = 2, padding = 1, groups = 2})
            assert.equal(("weight 6x2%s, bias 6"):format(kernel), names(conv))
            same(F[name](x, conv.weight, conv.bias, 2, 1, 1, 2), conv(x))
            same(conv(x)[1], conv(x[1]))
            local same_size = nn[("Conv%dd"):format(dims)](4, 4, 3, {padding = "same", padding_mode = "circular"})
            local around = {}
            for i = 1, 2 * dims do
                around[i] = 1
            end
            same(F[name](F.pad(x, around, "circular"), same_size.weight, same_size.bias), same_size(x))
            local turned = nn[("ConvTranspose%dd"):format(dims)](4, 6, 3, {stride = 2, groups = 2, bias = false})
            assert.equal(("weight 4x3%s"):format(kernel), names(turned))
            local op = F[("conv_transpose%dd"):format(dims)]
            same(op(x, turned.weight, nil, 2, 0, 0, 2), turned(x))
            local size = {}
            for i = 1, dims do
                size[i] = 2 * x:size(2 + i) + 2
            end
            same(op(x, turned.weight, nil, 2, 0, 1, 2), turned(x, size))
        end
        local conv = nn.Conv1d(4, 100, 5, {groups = 2})
        assert.is_true(conv.weight:abs():max():item() <= 1 / math.sqrt(10))
        assert.equal('Conv1d(4, 2, 3, {padding = "same", padding_mode = "reflect", bias = false})',
            tostring(nn.Conv1d(4, 2, 3, {padding = "same", padding_mode = "reflect", bias = false})))
        assert.equal("ConvTranspose2d(4, 2, {3, 1}, {stride = 2})", tostring(nn.ConvTranspose2d(4, 2, {3, 1}, 2)))
    end)

    it("says what is wrong with a convolution", function()
        assert.matches('Conv1d: padding_mode must be "zeros", "reflect", "replicate" or "circular", got "same"',
            message(nn.Conv1d, 1, 1, 1, {padding_mode = "same"}))
        assert.matches('Conv2d: padding "same" needs stride 1, got {1, 2}',
            message(nn.Conv2d, 1, 1, 3, {padding = "same", stride = {1, 2}}))
        assert.matches("expected input of shape %(n, 3, l%) or %(3, l%), got 2x4x8", message(nn.Conv1d(3, 1, 1), x1))
        assert.matches("output_size 20 of dim 1 must be in %[17, 18%]",
            message(nn.ConvTranspose1d(4, 1, 3, 2), x1, {20}))
    end)

    it("normalises", function()
        local cases = {
            {nn.GroupNorm(2, 4), x2, function(m, x) return F.group_norm(x, 2, m.weight, m.bias) end,
                "weight 4, bias 4", "GroupNorm(2, 4)"},
            {nn.LayerNorm({6, 6}), x2, function(m, x) return F.layer_norm(x, {6, 6}, m.weight, m.bias) end,
                "weight 6x6, bias 6x6", "LayerNorm({6, 6})"},
            {nn.LayerNorm(6, {bias = false}), x2, function(m, x) return F.layer_norm(x, {6}, m.weight) end, "weight 6",
                "LayerNorm({6}, {bias = false})"},
            {nn.RMSNorm(6), x2, function(m, x) return F.rms_norm(x, {6}, m.weight) end, "weight 6", "RMSNorm({6})"},
            {nn.InstanceNorm1d(4), x1, function(_, x) return F.instance_norm(x) end, "", "InstanceNorm1d(4)"},
            {nn.InstanceNorm2d(4, {affine = true}), x2, function(m, x)
                return F.instance_norm(x, nil, nil, m.weight, m.bias)
            end, "weight 4, bias 4", "InstanceNorm2d(4, {affine = true})"},
            {nn.InstanceNorm3d(4), x3, function(_, x) return F.instance_norm(x) end, "", "InstanceNorm3d(4)"},
        }
        for _, case in ipairs(cases) do
            local module = case[1]
            assert.equal(case[4], names(module))
            assert.equal(case[5], tostring(module))
            for _, p in ipairs(module:parameters()) do
                tocha.no_grad(function() p:copy_(tocha.randn(p.shape)) end)
            end
            same(case[3](module, case[2]), module(case[2]))
        end
        same(nn.InstanceNorm2d(4)(x2)[1], nn.InstanceNorm2d(4)(x2[1]))
        assert.matches("GroupNorm: num_groups must divide num_channels, got 3 and 4", message(nn.GroupNorm, 3, 4))
    end)

    it("normalises over the batch and remembers", function()
        for dims, x in ipairs {x1, x2, x3} do
            local module = nn[("BatchNorm%dd"):format(dims)](4)
            assert.equal("weight 4, bias 4", names(module))
            local mean, var = tocha.zeros(4), tocha.ones(4)
            same(F.batch_norm(x, mean, var, module.weight, module.bias, true), module(x))
            same(mean, module.running_mean)
            same(var, module.running_var)
            assert.equal(1, module.num_batches_tracked:item())
            module:eval()
            same(F.batch_norm(x, mean, var, module.weight, module.bias), module(x))
            assert.equal(1, module.num_batches_tracked:item())
            local keys = 0
            for _ in pairs(module:state_dict()) do
                keys = keys + 1
            end
            assert.equal(5, keys)
        end
        local all = nn.BatchNorm1d(4, {momentum = false, affine = false})
        all(x1)
        all(x1 + 2)
        assert.is_true((all.running_mean - (x1 + 1):mean({1, 3})):abs():max():item() < 1e-6)
        local forgetful = nn.BatchNorm1d(4, {track_running_stats = false}):eval()
        same(F.batch_norm(x1, nil, nil, forgetful.weight, forgetful.bias, true), forgetful(x1))
        assert.matches("BatchNorm2d%(4%): expected input of shape %(n, c, h, w%), got 2x4x8",
            message(nn.BatchNorm2d(4), x1))
        assert.matches('BatchNorm1d: momentum must be a number or false, got "x"',
            message(nn.BatchNorm1d, 4, {momentum = "x"}))
    end)

    it("multiplies two inputs, and looks up bags", function()
        local bilinear = nn.Bilinear(4, 4, 5)
        assert.equal("weight 5x4x4, bias 5", names(bilinear))
        assert.equal("Bilinear(4, 4, 5)", tostring(bilinear))
        assert.is_true(bilinear.weight:abs():max():item() <= 0.5)
        same(F.bilinear(row, other, bilinear.weight, bilinear.bias), bilinear(row, other))
        local bag = nn.EmbeddingBag(10, 3, {mode = "sum", padding_idx = 2})
        assert.equal("weight 10x3", names(bag))
        assert.equal('EmbeddingBag(10, 3, {mode = "sum", padding_idx = 2})', tostring(bag))
        assert.is_true(bag.weight[2]:eq(0):all():item())
        local at, first = tocha.tensor {1, 2, 5, 7}, tocha.tensor {1, 3}
        same(F.embedding_bag(at, bag.weight, first, {mode = "sum", padding_idx = 2}), bag(at, first))
        local prelu = nn.PReLU(4, 0.5)
        assert.equal("weight 4", names(prelu))
        assert.same({0.5, 0.5, 0.5, 0.5}, prelu.weight:tolist())
        same(F.prelu(x1, prelu.weight), prelu(x1))
    end)
end)

describe("a container of parameters", function()
    it("refuses what is no table of tensors", function()
        assert.matches("^ParameterList: expected a table of tensors, got ",
            message(nn.ParameterList, 0.5):gsub("^[^ ]*: ", ""))
        assert.matches("ParameterList: entry 2 must be a tensor, got ", message(nn.ParameterList, {row, "a"}))
        assert.matches("ParameterDict: expected a table, got ", message(nn.ParameterDict, 3))
    end)
end)

describe("Unflatten", function()
    it("refuses what is no tensor", function()
        assert.matches("unflatten: input must be a tensor .*, got function", message(nn.Unflatten(1, {1, 2}), print))
    end)
end)
