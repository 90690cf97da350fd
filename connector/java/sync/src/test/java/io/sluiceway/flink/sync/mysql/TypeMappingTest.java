package io.sluiceway.flink.sync.mysql;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.time.ZoneId;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class TypeMappingTest {

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "TINYINT|SMALLINT",
        "TINYINT(1)|SMALLINT",
        "BOOLEAN|SMALLINT",
        "TINYINT UNSIGNED|SMALLINT",
        "SMALLINT|SMALLINT",
        "SMALLINT(5) UNSIGNED|INT",
        "MEDIUMINT UNSIGNED|INT",
        "INT|INT",
        "INTEGER(10) UNSIGNED|BIGINT",
        "INT(5) ZEROFILL|BIGINT",
        "BIGINT|BIGINT",
        "BIGINT UNSIGNED|DECIMAL(20, 0)",
        "FLOAT|FLOAT",
        "DOUBLE|DOUBLE",
        "DECIMAL(20,2)|DECIMAL(20, 2)",
        "NUMERIC(5)|DECIMAL(5, 0)",
        "DECIMAL|DECIMAL(10, 0)",
        "DECIMAL(50,10)|STRING",
        "BIT(1)|BOOLEAN",
        "BIT(9)|BYTES",
        "DATE|DATE",
        "TIME|TIME(0)",
        "TIME(6)|TIME(3)",
        "DATETIME|TIMESTAMP(0)",
        "DATETIME(6)|TIMESTAMP(6)",
        "TIMESTAMP NULL|TIMESTAMP_LTZ(0)",
        "TIMESTAMP(3) NULL|TIMESTAMP_LTZ(3)",
        "YEAR|INT",
        "CHAR(5)|STRING",
        "VARCHAR(50)|STRING",
        "LONGTEXT|STRING",
        "JSON|STRING",
        "ENUM('a','b')|STRING",
        "SET('a','b')|STRING",
        "BINARY(4)|BYTES",
        "LONGBLOB|BYTES",
        "GEOMETRY|none",
      })
  void eachTypeHasItsCounterpart(String source, String target) {
    assertEquals(target, mapped(source, null));
  }

  @ParameterizedTest
  @CsvSource({"TIMESTAMP(3) NULL,TIMESTAMP(3)", "DATETIME(3),TIMESTAMP(3)"})
  void aTimeZoneMakesInstantsLocal(String source, String target) {
    assertEquals(target, mapped(source, ZoneId.of("Asia/Shanghai")));
  }

  private static String mapped(String source, ZoneId zone) {
    var table = Definitions.table("CREATE TABLE t (c " + source + ")");
    return new TypeMapping(zone)
        .type(table.columnWithName("c"))
        .map(type -> type.copy(true).asSummaryString())
        .orElse("none");
  }
}
