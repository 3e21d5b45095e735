"""Words that stand in the place of names and are none, or not always."""

from __future__ import annotations

DESCRIPTIVE = frozenset(
    (
        # English
        "the a an and of in within no two three several another first second third fourth fifth "
        "sixth other old young "
        "little big poor good man men woman women boy boys girl girls child children lady ladies "
        "gentleman gentlemen lord sir madam master mistress mister mr mrs ms miss dr doctor rev "
        "reverend father mother mom mum dad daddy son daughter brother sister uncle aunt cousin "
        "nephew niece grandfather grandmother grandpa grandma husband wife widow bride groom "
        "bridegroom king queen prince princess duke duchess count countess earl baron baroness "
        "knight emperor empress president minister governor mayor bishop cardinal pope friar monk "
        "nun priest parson rector general colonel major captain capt lieutenant sergeant corporal "
        "private soldier soldiers officer officers sailor guard guards sentinel sentry watchman "
        "policeman constable inspector detective judge lawyer clerk jailor servant servants maid "
        "butler footman waiter waitress porter page nurse messenger herald citizen citizens lord "
        "nobleman peasant slave merchant landlord landlady shepherd hunter fisherman ferryman "
        "teacher professor student actor singer fool clown ghost spirit witch angel god voice "
        "voices chorus crowd all both everyone somebody nobody stranger traveller visitor guest "
        "saint st de di du da van von zu english british french german spanish american "
        "indian chief negro member chairman speaker narrator author host driver cook gardener "
        # German, French, Spanish, Italian, Russian
        "der die das ein eine erster erste zweiter zweite dritter alter alte junge herr frau "
        "fräulein graf gräfin könig königin prinz prinzessin vater mutter sohn tochter bruder "
        "schwester onkel tante offizier soldat diener magd amme bote richter wirt arzt kammerfrau "
        "le la les un une premier première monsieur madame mademoiselle roi reine père mère "
        "el los las una primero segundo señor señora señorita don doña rey reina padre madre "
        "hijo hija hermano hermana juez oficial soldado criado criada agente il signor signora re "
        "гость барышня барышни слуга лакей доктор граф графиня князь княгиня мать отец "
        # Chinese
        "众人 大家 旁白 作者 家人 丫鬟 丫头 婆子 小厮 "
        "先生 太太 夫人 小姐 老爷 少爷 姑娘 公子 奶奶 "
        "姥姥 姨妈 舅母 婶子 嫂子 姐姐 妹妹 哥哥 弟弟 "
        "爷爷 叔叔 阿姨 伯伯 父亲 母亲 爸爸 妈妈 老师 "
        "学生 医生 大夫 师傅 掌柜 老板 道人 道士 和尚 "
        "尼姑 皇上 皇帝 皇后 将军 士兵 警察 店主 老人 "
        "女人 男人 孩子 媳妇 女儿 姨娘 小丫头 嬷嬷 老嬷嬷 "
        "太监 石头 门子 老婆子 原告 被告 "
    ).split()
)
"""Roles, titles, kinship, nations, particles, articles, ordinals: they alone name nobody."""

AMBIGUOUS = frozenset(
    (
        "will hope grace may mark bill rose faith joy june april august rich art dawn daisy lily "
        "violet ivy olive iris ruby pearl amber jade crystal summer autumn christian chance drew "
        "dean miles penny heather holly jay angel charity mercy patience prudence constance "
        "justice wisdom truth honor honour victory clay cliff ford glen lane wood woods stone rock "
        "hill field fields brook brooks bush rice bean berry basil rosemary ginger hazel cherry "
        "page duke earl king prince young long short small white black brown green gray grey gold "
        "silver fox wolf bird drake lamb swift strong sharp wise noble savage blood steel winter "
        "day moon star sunny sky rain snow storm love darling honey sage story hi man bland baker "
        "smith mason carpenter cooper fisher miller potter tanner turner walker bishop knight "
        "rural rocket deception congress"
    ).split()
)
"""English words that are names, too."""

SURNAMES = frozenset(
    "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦许何吕张孔曹严华金魏陶姜戚谢邹苏潘葛"
    "范彭鲁韦马方俞任袁柳鲍史唐费薛雷贺倪汤罗毕郝安常于傅卞齐康伍余顾孟黄穆萧"
    "尹姚邵汪毛戴宋庞熊纪舒屈项祝董梁杜阮蓝闵季贾路江童郭梅林钟徐邱骆高夏蔡田"
    "樊胡凌霍万柯卢莫房解应宗丁邓洪石崔龚程邢裴陆荣翁甄曲封靳段焦侯宁仇祖武刘"
    "龙叶黎白蒲赖卓乔温庄柴阎连习向古廖衡耿匡文寇欧利聂曾沙鞠关查游权尤冷雨肖"
    "闫"
)
"""The commonest Chinese surnames of one character."""
