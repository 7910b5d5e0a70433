/// Spellings of units that are not UCUM, or that are UCUM only by accident.
///
/// A line holds spellings, `=`, and what they mean: the first is the usual meaning, others follow after `|`; nothing after
/// the `=` means that the spelling is refused. Spellings are folded (``UnitFolding``). Those in small letters are found
/// in any case.
enum UnitSpellingTable {
    /// Whole units.
    static let whole = Self.table(
        """
        G/L, G/l = 10*9/L | g/L
        T/L, T/l = 10*12/L
        giga/l, giga.l-1, gpt/l = 10*9/L
        tera/l, tera.l-1, tpt/l = 10*12/L
        k/ul, k/mm3, k/cumm, k/mcl, k/cmm, th/ul, th/mm3, thou/ul, thou/mm3, thous/ul, thousand/ul = 10*3/uL
        m/ul, m/mm3, m/cumm, m/mcl, m/cmm, mil/ul, mil/mm3, mill/ul, mill/mm3, million/ul = 10*6/uL
        bil/l, bill/l, billion/l = 10*9/L
        ph = [pH]
        ‰ = [ppth]
        百分比, 百分率, pct, percent = %
        vol%, %vol, %(v/v) = %{vol}
        °c, degc, deg c, C, 摄氏度, 度 = Cel
        °f, degf, deg f, F, 华氏度 = [degF]
        bpm, beats/min, beat/min, beats/minute = {beats}/min
        breaths/min, breath/min, breaths/minute = {breaths}/min
        s/co, s/c, s/co ratio, s.co = {s_co_ratio}
        coi, c.o.i, c.o.i., index, 指数, 临界值指数 = {index}
        inr = {INR}
        ratio, 比值 = {ratio}
        titer, titre, 滴度 = {titer}
        mm/h, mm/hr, mm/1h, mm/60min, mm/1hr, mm/小时 = mm/h
        log copies/ml, log10 copies/ml, lg copies/ml, log10copies/ml, logcopies/ml, lgcopies/ml = {Log_copies}/mL
        log cp/ml, log10 cp/ml, lg拷贝/ml, log10拷贝/ml = {Log_copies}/mL
        log iu/ml, log10 iu/ml, lg iu/ml, log10iu/ml, logiu/ml, lgiu/ml = {Log_IU}/mL
        ug feu/ml, ug/ml feu, ug/ml(feu), ug/mlfeu, ugfeu/ml = ug{FEU}/mL
        mg feu/l, mg/l feu, mg/l(feu), mg/lfeu, mgfeu/l = mg{FEU}/L
        ng feu/ml, ng/ml feu, ng/ml(feu), ng/mlfeu, ngfeu/ml = ng{FEU}/mL
        ug ddu/ml, ug/ml ddu, ug/ml(ddu), ug/mlddu = ug{DDU}/mL
        ng ddu/ml, ng/ml ddu, ng/ml(ddu), ng/mlddu = ng{DDU}/mL
        mg/l ddu, mg/l(ddu), mg/lddu = mg{DDU}/L
        mosm/kg h2o, mosm/kgh2o, mosm/kg.h2o, mosm/(kg.h2o), mosmol/kgh2o = mosm/kg
        eu/dl, ehrlich u/dl, ehrlich units/dl = {Ehrlich'U}/dL
        eu/ml, eu/l, eu, G, T, K, S, P, R, H, A, B, 分, 个数 =
        """
    )

    /// Parts between operators, without an exponent.
    static let parts = Self.table(
        """
        u = U
        mu = mU
        uu = uU
        ku = kU
        un, unit, units, 单位 = U
        iu, 国际单位 = [IU] | U
        miu, m iu, 毫国际单位 = m[IU] | mU
        uiu, u iu, mciu, 微国际单位 = u[IU] | uU
        kiu, k iu = k[IU] | kU
        niu = n[IU]
        au, AU, arbu = [arb'U]
        eq = eq
        meq = meq
        ueq = ueq
        osm, osmol = osm
        mosm, mosmol, mosmo = mosm
        mcg = ug
        mcl, mcL = uL
        mcmol = umol
        gm, gms, gram, grams, 克 = g
        kgs, 千克, 公斤 = kg
        mgs, 毫克 = mg
        lb, lbs, pound, pounds = [lb_av]
        oz, ounce, ounces = [oz_av]
        in, inch, inches = [in_i]
        ft, foot, feet = [ft_i]
        微克 = ug
        纳克 = ng
        皮克 = pg
        飞克 = fg
        l, liter, litre, 升 = L
        毫升 = mL
        cc = mL
        微升 = uL
        分升 = dL
        飞升 = fL
        摩尔 = mol
        毫摩尔, 毫摩 = mmol
        微摩尔, 微摩 = umol
        纳摩尔 = nmol
        皮摩尔 = pmol
        cumm, cmm, cu.mm, 立方毫米 = mm3
        cumm3 = mm3
        立方厘米 = cm3
        sqm, 平方米 = m2
        米 = m
        厘米 = cm
        毫米 = mm
        微米 = um
        纳米 = nm
        mmhg, mm hg, mm汞柱, 毫米汞柱 = mm[Hg]
        cmh2o, cm h2o, cm水柱, 厘米水柱 = cm[H2O]
        mmh2o, mm h2o = mm[H2O]
        kpa, 千帕 = kPa
        pa, 帕 = Pa
        mpas = mPa.s
        mpa = mPa
        hz, 赫兹 = Hz
        khz = kHz
        db, 分贝 = dB
        mv, 毫伏 = mV
        sec, secs, second, seconds, 秒 = s
        msec, msecs, 毫秒 = ms
        mins, minute, minutes, 分, 分钟 = min
        hr, hrs, hour, hours, H, 小时, 时 = h
        day, days, 天, 日 = d
        week, weeks, wks, 周 = wk
        month, months, mon, 月, 个月 = mo
        yr, yrs, year, years, 年, 岁 = a
        cfu, 菌落 = [CFU]
        pfu = [PFU]
        hpf, hp, 高倍视野, 高倍镜, 高倍镜视野, 每高倍视野 = [HPF]
        lpf, lp, 低倍视野, 低倍镜, 低倍镜视野, 每低倍视野 = [LPF]
        copies, copy, cp, cps, 拷贝, 拷贝数 = {copies}
        cells, cell, 细胞 = {cells}
        wbc, wbcs, 白细胞 = {WBC}
        rbc, rbcs, 红细胞 = {RBC}
        次, 个, 条, 只 = 1
        次数 = 1
        gcr, g cr, gcrea, g crea, gcreat, g creat, gcreatinine, g creatinine, g肌酐 = g{creat}
        mmolcr, mmol cr, mmolcrea, mmol crea, mmolcreat, mmol creat, mmol creatinine, mmol肌酐 = mmol{creat}
        molcr, mol cr, molcrea, mol crea, mol creat = mol{creat}
        mgcr, mg cr, mgcrea, mg creat = mg{creat}
        mghb, mg hb = mg{Hb}
        ghb, g hb = g{Hb}
        kgh2o, kg h2o = kg
        gm%, gms% = g%
        M = mol/L
        mM = mmol/L
        uM = umol/L
        nM = nmol/L
        pM = pmol/L
        Mg, Mmol, Ml, Pg, Mm, Eu, EU =
        """
    )

    /// Units of UCUM in capitals that may stand for something far smaller: in a text that also has small letters, nobody
    /// can know.
    static let capitals: Set = [
        "G", "MG", "PG", "ML", "MM", "MMOL", "PL", "PMOL", "MU", "PU", "GU", "TU", "GG", "TG", "MS",
    ]

    /// Units of UCUM whose meaning survives a change between small letters and capitals.
    static let anyCase: Set = [
        "kg", "ug", "ng", "fg", "dg", "mol", "umol", "nmol", "fmol", "dl", "cl", "ul", "nl", "fl", "cm", "dm", "um",
        "km",
    ]

    private static func table(_ text: String) -> [String: [String]] {
        var table: [String: [String]] = [:]
        for line in text.split(separator: "\n") {
            let sides = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let meanings = Self.items(sides[1], separator: "|")
            for spelling in Self.items(sides[0], separator: ",") { table[spelling] = meanings }
        }
        return table
    }

    private static func items(_ text: Substring, separator: Character) -> [String] {
        text.split(separator: separator).compactMap { item in
            let item = item.drop { $0 == " " }
            let end = item.lastIndex { $0 != " " }
            return end.map { String(item[...$0]) }
        }
    }
}
