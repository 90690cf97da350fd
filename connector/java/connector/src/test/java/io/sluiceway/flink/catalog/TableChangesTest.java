package io.sluiceway.flink.catalog;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.sluiceway.flink.api.SchemaChange;
import java.util.List;
import java.util.Map;
import org.apache.flink.table.api.DataTypes;
import org.apache.flink.table.api.ValidationException;
import org.apache.flink.table.catalog.Column;
import org.apache.flink.table.catalog.ObjectPath;
import org.apache.flink.table.catalog.TableChange;
import org.apache.flink.table.catalog.TableChange.ColumnPosition;
import org.junit.jupiter.api.Test;

class TableChangesTest {
  private static final ObjectPath ORDERS = new ObjectPath("dw", "orders");
  private static final Column FEE = Column.physical("fee", DataTypes.INT());

  @Test
  void aColumnIsDropped() {
    assertEquals(
        List.of(new SchemaChange.DropColumn("fee", false)), of(TableChange.dropColumn("fee")));
  }

  @Test
  void typeAndNullabilityAreChangesOfTheirOwn() {
    SchemaChange wider = new SchemaChange.SetType("fee", DataTypes.BIGINT().getLogicalType());
    SchemaChange must = new SchemaChange.SetNullable("fee", false);
    assertEquals(List.of(wider), of(TableChange.modifyPhysicalColumnType(FEE, DataTypes.BIGINT())));
    assertEquals(
        List.of(must), of(TableChange.modifyPhysicalColumnType(FEE, DataTypes.INT().notNull())));
    Column strict = Column.physical("fee", DataTypes.INT().notNull());
    assertEquals(
        List.of(wider, new SchemaChange.SetNullable("fee", true)),
        of(TableChange.modifyPhysicalColumnType(strict, DataTypes.BIGINT())));
  }

  @Test
  void aColumnMoves() {
    assertEquals(
        List.of(new SchemaChange.MoveColumn("fee", true, null)),
        of(TableChange.modifyColumnPosition(FEE, ColumnPosition.first())));
    assertEquals(
        List.of(new SchemaChange.MoveColumn("fee", false, "id")),
        of(TableChange.modifyColumnPosition(FEE, ColumnPosition.after("id"))));
  }

  @Test
  void optionsComeLast() {
    assertEquals(
        List.of(
            new SchemaChange.RenameColumn("fee", "price"),
            new SchemaChange.SetOptions(Map.of("a", "1"), List.of("b"))),
        of(
            TableChange.set("a", "1"),
            TableChange.modifyColumnName(FEE, "price"),
            TableChange.reset("b")));
  }

  @Test
  void whatIsNotPossibleIsNamed() {
    ValidationException refused =
        assertThrows(ValidationException.class, () -> of(TableChange.dropWatermark()));
    assertTrue(refused.getMessage().contains("DROP WATERMARK"), refused.getMessage());
  }

  private static List<SchemaChange> of(TableChange... changes) {
    return TableChanges.of(ORDERS, List.of(changes));
  }
}
