"""Public figures of the 31 mainland provinces of China, on which the sample company stands.

Source: National Bureau of Statistics of China (stats.gov.cn) and the provinces' statistical communiques for 2024:
gross regional product of 2024 in 100 million yuan at current prices (unified accounting, first publication), its
real growth on 2023, disposable income per head of all residents in yuan (rounded to 100 yuan), and resident
population at the end of 2024 in 10 thousand (rounded to 100 thousand persons).

What the sample company itself brings (maturity of its channels, its rivals' share, the cities it sells in) is invented.
"""

from typing import NamedTuple

SOURCE = "National Bureau of Statistics of China, 2024; income and population rounded"
NATIONAL_GDP_2024 = 1_349_084  # 100 million yuan, National Bureau of Statistics of China, first publication


class Province(NamedTuple):
    """One province: public figures first, then what is invented."""

    name: str
    area: str  # East, North, South, Central, Northeast, Northwest, Southwest
    gdp: float  # 100 million yuan, 2024
    gdp_growth: float  # percent on 2023, constant prices
    income: int  # yuan per head, 2024
    population: int  # 10 thousand, end of 2024
    maturity: str  # invented: how far the company's channels are built
    rival_share: float  # invented: the rivals' share of the market, 0-1
    newcomers: bool  # invented: more than 40% of the team hired within the last year
    cities: tuple[str, str, str, str]  # real cities or districts; the last two are opened in 2024 and 2025


def _province(row: str) -> Province:
    name, area, gdp, growth, income, population, maturity, rivals, team, *cities = (c.strip() for c in row.split(","))
    first, second, third, fourth = cities
    return Province(
        name,
        area,
        float(gdp),
        float(growth),
        int(income),
        int(population),
        maturity,
        float(rivals),
        team == "new",
        (first, second, third, fourth),
    )


# name, area, GDP, growth, income, population | maturity, rival share, team, four cities
_TABLE = """
Beijing, North, 49843.1, 5.2, 85400, 2180, mature, 0.46, old, Chaoyang, Haidian, Fengtai, Tongzhou
Tianjin, North, 18024.32, 5.1, 53600, 1360, mature, 0.44, old, Heping, Nankai, Hexi, Binhai
Hebei, North, 47526.9, 5.4, 34700, 7380, growing, 0.33, old, Shijiazhuang, Tangshan, Baoding, Handan
Shanxi, North, 25494.69, 2.3, 32500, 3450, growing, 0.30, old, Taiyuan, Datong, Changzhi, Linfen
Inner Mongolia, North, 26314.6, 5.8, 40100, 2390, incubating, 0.24, old, Hohhot, Baotou, Ordos, Chifeng
Liaoning, Northeast, 32612.7, 5.1, 39800, 4160, growing, 0.35, old, Shenyang, Dalian, Anshan, Jinzhou
Jilin, Northeast, 14361.22, 4.3, 31400, 2320, incubating, 0.27, new, Changchun, Jilin City, Siping, Yanji
Heilongjiang, Northeast, 16476.9, 3.2, 31200, 3030, incubating, 0.26, old, Harbin, Daqing, Qiqihar, Mudanjiang
Shanghai, East, 53926.71, 5.0, 88400, 2480, mature, 0.49, old, Pudong, Minhang, Xuhui, Songjiang
Jiangsu, East, 137008.0, 5.8, 55400, 8530, mature, 0.41, old, Nanjing, Suzhou, Wuxi, Nantong
Zhejiang, East, 90131.0, 5.5, 67000, 6670, mature, 0.36, old, Hangzhou, Ningbo, Wenzhou, Jinhua
Anhui, East, 50625.0, 5.8, 36700, 6120, growing, 0.29, old, Hefei, Wuhu, Fuyang, Anqing
Fujian, East, 57761.02, 5.5, 47900, 4190, mature, 0.38, old, Fuzhou, Xiamen, Quanzhou, Zhangzhou
Jiangxi, East, 34202.5, 5.1, 36000, 4500, growing, 0.28, old, Nanchang, Ganzhou, Jiujiang, Shangrao
Shandong, East, 98565.8, 5.7, 42100, 10080, mature, 0.40, old, Jinan, Qingdao, Yantai, Linyi
Henan, Central, 63589.99, 5.1, 31600, 9790, growing, 0.34, old, Zhengzhou, Luoyang, Nanyang, Xinxiang
Hubei, Central, 60012.97, 5.8, 37000, 5830, growing, 0.31, old, Wuhan, Yichang, Xiangyang, Jingzhou
Hunan, Central, 53230.99, 4.8, 37700, 6540, growing, 0.32, old, Changsha, Hengyang, Yueyang, Changde
Guangdong, South, 141633.81, 3.5, 51500, 12780, mature, 0.52, old, Guangzhou, Shenzhen, Foshan, Dongguan
Guangxi, South, 28649.4, 4.2, 31000, 5010, growing, 0.30, old, Nanning, Liuzhou, Guilin, Yulin
Hainan, South, 7935.69, 3.7, 35000, 1050, incubating, 0.25, new, Haikou, Sanya, Danzhou, Qionghai
Chongqing, Southwest, 32193.15, 5.7, 39700, 3190, growing, 0.35, old, Yuzhong, Jiangbei, Wanzhou, Yongchuan
Sichuan, Southwest, 64697.0, 5.7, 34300, 8360, mature, 0.33, old, Chengdu, Mianyang, Yibin, Nanchong
Guizhou, Southwest, 22667.12, 5.3, 28600, 3860, incubating, 0.22, new, Guiyang, Zunyi, Bijie, Anshun
Yunnan, Southwest, 31534.1, 3.3, 29900, 4660, incubating, 0.23, new, Kunming, Qujing, Dali, Yuxi
Tibet, Southwest, 2764.94, 6.3, 31400, 370, incubating, 0.15, old, Lhasa, Shigatse, Nyingchi, Chamdo
Shaanxi, Northwest, 35538.77, 5.3, 33900, 3950, growing, 0.31, old, Xi'an, Xianyang, Baoji, Yulin City
Gansu, Northwest, 13002.9, 5.8, 26600, 2460, incubating, 0.21, old, Lanzhou, Tianshui, Qingyang, Jiuquan
Qinghai, Northwest, 3950.79, 2.7, 30100, 590, incubating, 0.18, old, Xining, Haidong, Golmud, Delingha
Ningxia, Northwest, 5502.76, 5.4, 33300, 730, incubating, 0.20, old, Yinchuan, Wuzhong, Shizuishan, Guyuan
Xinjiang, Northwest, 20534.08, 6.1, 30900, 2620, incubating, 0.22, old, Urumqi, Changji, Korla, Kashgar
"""

PROVINCES: tuple[Province, ...] = tuple(_province(row) for row in _TABLE.strip().splitlines())
